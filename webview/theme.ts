import { color as parseColor, rgb, type RGBColor } from 'd3';

/** Colours of the editor in force, resolved for drawing on a canvas. Only `--vscode-*` colours are used. */
export interface Theme {
  readonly kind: 'light' | 'dark' | 'hc-light' | 'hc-dark';
  readonly background: string;
  readonly foreground: string;
  readonly dim: string;
  readonly border: string;
  readonly focus: string;
  readonly warning: string;
  readonly error: string;
  readonly widget: string;
  readonly font: string;
  readonly mono: string;
  /** Colours of devices, in the cluster's order. */
  readonly series: readonly string[];
  readonly blue: string;
  readonly green: string;
  readonly orange: string;
  readonly purple: string;
  readonly red: string;
  readonly yellow: string;
}

const LEAST_CONTRAST = 4.5;

export function readTheme(): Theme {
  const style = getComputedStyle(document.body);
  const read = (name: string, otherwise: string): string =>
    style.getPropertyValue(`--vscode-${name}`).trim() || otherwise;
  const classes = document.body.classList;
  const highContrast = classes.contains('vscode-high-contrast');
  const light = classes.contains('vscode-light') || classes.contains('vscode-high-contrast-light');
  const background = read('editor-background', light ? 'white' : 'black');
  const foreground = read('editor-foreground', read('foreground', light ? 'black' : 'white'));
  const chart = (name: string): string => opaque(read(`charts-${name}`, foreground));
  const [blue, green, orange, purple, red, yellow] = [
    'blue',
    'green',
    'orange',
    'purple',
    'red',
    'yellow',
  ].map(chart);
  const extra = [
    'ansiCyan',
    'ansiMagenta',
    'ansiBrightGreen',
    'ansiBrightYellow',
    'ansiBrightBlue',
    'ansiBrightRed',
  ];
  return {
    kind: highContrast ? (light ? 'hc-light' : 'hc-dark') : light ? 'light' : 'dark',
    background,
    foreground,
    dim: legible(mix(background, read('descriptionForeground', foreground), 1), background, foreground),
    border: read('contrastBorder', mix(background, foreground, 0.22)),
    focus: read('focusBorder', blue),
    warning: read('editorWarning-foreground', orange),
    error: read('errorForeground', red),
    widget: read('editorWidget-background', background),
    font: read('font-family', 'sans-serif'),
    mono: read('editor-font-family', 'monospace'),
    series: [
      blue,
      orange,
      green,
      purple,
      yellow,
      red,
      ...extra.map((name) => read(`terminal-${name}`, foreground)),
    ],
    ...{ blue, green, orange, purple, red, yellow },
  };
}

/** VS Code's own themes have a translucent orange among the chart colours, made to lie over text. */
function opaque(color: string): string {
  return solid(color, 'gray').copy({ opacity: 1 }).formatHex();
}

/** `share` of `over` on `under`, opaque. */
export function mix(under: string, over: string, share: number): string {
  const a = solid(under, 'black');
  const b = parseColor(over)?.rgb() ?? a;
  const part = share * b.opacity;
  return rgb(a.r + (b.r - a.r) * part, a.g + (b.g - a.g) * part, a.b + (b.b - a.b) * part).formatHex();
}

export function withAlpha(color: string, alpha: number): string {
  const parsed = parseColor(color)?.rgb() ?? rgb(128, 128, 128);
  return parsed.copy({ opacity: parsed.opacity * alpha }).formatRgb();
}

/** The colour itself, moved towards `towards` until text in it can be read on `background`. */
export function legible(color: string, background: string, towards: string): string {
  for (let share = 0; share < 1; share += 0.1) {
    const mixed = mix(color, towards, share);
    if (contrast(mixed, background) >= LEAST_CONTRAST) return mixed;
  }
  return towards;
}

export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(solid(a, 'black')), luminance(solid(b, 'white'))];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function luminance({ r, g, b }: RGBColor): number {
  const [x, y, z] = [r, g, b].map((channel) => {
    const c = channel / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}

function solid(color: string, otherwise: string): RGBColor {
  return (parseColor(color) ?? parseColor(otherwise)!).rgb();
}

/** Calls back whenever VS Code changes the theme: it then rewrites the class and the variables. */
export function onThemeChange(changed: () => void): void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
}
