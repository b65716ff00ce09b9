import { contrast, type Theme } from './theme';

/** A line of text in a rectangle of colour `over` from `x0` to `x1` around height `y`, where it fits. */
export function labelWithin(
  context: CanvasRenderingContext2D,
  theme: Theme,
  text: string,
  size: number,
  over: string,
  [x0, x1, y]: readonly [number, number, number],
): void {
  context.font = `${size}px ${theme.font}`;
  if (context.measureText(text).width > x1 - x0 - 9) return;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  const { foreground, background } = theme;
  context.fillStyle = contrast(foreground, over) >= contrast(background, over) ? foreground : background;
  context.fillText(text, x0 + 4, y);
}
