/** Signs of buttons as paths in a 16 by 16 box, so that they do not depend on a font. */
const PATHS = {
  list: 'M2 3.5h2M6 3.5h8M2 8h2M6 8h8M2 12.5h2M6 12.5h8',
  closeAll: 'M4 6h8v8H4zM6 10h4M6.5 3.5h8v8',
  openAll: 'M4 6h8v8H4zM6 10h4M8 8v4M6.5 3.5h8v8',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  peak: 'M1.5 13.5l4-7 2.5 3.5 2.5-6.5 4 10z',
  details: 'M2.5 2.5h11v11h-11zM9.5 2.5v11M11 5.5h1M11 8h1',
  previous: 'M3.5 10L8 5.5l4.5 4.5',
  next: 'M3.5 6L8 10.5 12.5 6',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
} as const;

export type IconName = keyof typeof PATHS;

const SVG = 'http://www.w3.org/2000/svg';

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [key, value] of Object.entries({
    viewBox: '0 0 16 16',
    width: '16',
    height: '16',
    class: 'icon',
  })) {
    svg.setAttribute(key, value);
  }
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
