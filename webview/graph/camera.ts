/** Where the picture stands on the screen: screen = world * k + (x, y), in CSS pixels. */
export interface Camera {
  readonly k: number;
  readonly x: number;
  readonly y: number;
}

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface WorldView {
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
}

export function worldView({ k, x, y }: Camera, width: number, height: number): WorldView {
  return { minX: -x / k, minY: -y / k, maxX: (width - x) / k, maxY: (height - y) / k };
}

/** Below these zooms details give way. */
export const DETAIL = {
  /** All rows of text. */
  full: 0.62,
  /** The type alone, as large as fits. */
  label: 0.28,
  /** Lines are drawn as curves; below it straight, below `lines` only long ones. */
  curves: 0.25,
  lines: 0.06,
} as const;
