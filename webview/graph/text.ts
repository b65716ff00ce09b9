/** Text on the canvas: measured once per text and font, shortened in the middle where a box is too narrow. */
export class TextFitter {
  private readonly widths = new Map<string, number>();
  private readonly fitted = new Map<string, string>();

  constructor(private readonly context: CanvasRenderingContext2D) {}

  clear(): void {
    this.widths.clear();
    this.fitted.clear();
  }

  /** The context's font must be `font` already. */
  width(text: string, font: string): number {
    const key = `${font}|${text}`;
    let width = this.widths.get(key);
    if (width === undefined) {
      width = this.context.measureText(text).width;
      if (this.widths.size > MOST_KEPT) this.widths.clear();
      this.widths.set(key, width);
    }
    return width;
  }

  fit(text: string, font: string, room: number): string {
    if (text === '' || room < SHORTEST) return '';
    if (this.width(text, font) <= room) return text;
    const key = `${font}|${room}|${text}`;
    let short = this.fitted.get(key);
    if (short === undefined) {
      short = this.shorten(text, room);
      if (this.fitted.size > MOST_KEPT) this.fitted.clear();
      this.fitted.set(key, short);
    }
    return short;
  }

  /** Keeps both ends: names differ at their end more often than at their start. */
  private shorten(text: string, room: number): string {
    let low = 0;
    let high = text.length;
    while (low < high) {
      const keep = (low + high + 1) >> 1;
      if (this.context.measureText(cut(text, keep)).width <= room) low = keep;
      else high = keep - 1;
    }
    return cut(text, low);
  }
}

const MOST_KEPT = 20_000;
const SHORTEST = 8;

function cut(text: string, keep: number): string {
  const tail = Math.ceil(keep * 0.6);
  return `${text.slice(0, keep - tail)}…${text.slice(text.length - tail)}`;
}
