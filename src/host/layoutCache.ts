const LARGEST_TOTAL_BYTES = 64 * 2 ** 20;

/** Layouts of recently shown graphs, so that a tab that comes back need not compute again. Oldest go first. */
export class LayoutCache {
  private readonly layouts = new Map<string, ArrayBuffer>();
  private bytes = 0;

  get(key: string): ArrayBuffer | undefined {
    const layout = this.layouts.get(key);
    if (layout !== undefined) {
      this.layouts.delete(key);
      this.layouts.set(key, layout);
    }
    return layout;
  }

  set(key: string, layout: ArrayBuffer): void {
    this.remove(key);
    if (layout.byteLength > LARGEST_TOTAL_BYTES) return;
    this.layouts.set(key, layout);
    this.bytes += layout.byteLength;
    for (const oldest of this.layouts.keys()) {
      if (this.bytes <= LARGEST_TOTAL_BYTES) break;
      this.remove(oldest);
    }
  }

  private remove(key: string): void {
    this.bytes -= this.layouts.get(key)?.byteLength ?? 0;
    this.layouts.delete(key);
  }
}
