/**
 * Layered layout of one level: the contents of the graph, of a group, or of a body. Coordinates are pixels at
 * zoom 1, y grows downwards. An item has an anchor: its edges leave and arrive at x = anchor + offset, and it
 * covers `[anchor - left, anchor + right)`; for plain boxes both are half of the width.
 */
export interface LevelGraph {
  readonly count: number;
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly height: Float64Array;
  /** `ITEM` per item. */
  readonly kind: Uint8Array;
  readonly nets: LevelNets;
}

/** What an item is to the layout. Ports are the points where edges cross the border of a group: no size. */
export const ITEM = { box: 0, inputPort: 1, outputPort: 2 } as const;

/** One net per source tensor: its source and the items that it reaches, each once and never the source. */
export interface LevelNets {
  readonly count: number;
  readonly source: Int32Array;
  readonly sourceOffset: Float64Array;
  /** `first[n]..first[n+1]` are the positions of net `n` in `sinks`. */
  readonly first: Uint32Array;
  readonly sinks: Int32Array;
  readonly sinkOffset: Float64Array;
}

export interface LevelLayout {
  /** Anchor of each item. */
  readonly x: Float64Array;
  /** Top of each item. */
  readonly y: Float64Array;
  readonly rank: Int32Array;
  readonly minX: number;
  readonly maxX: number;
  readonly height: number;
  readonly routes: Routes;
}

/**
 * Edges as polylines whose tangents are vertical at every point: between two points of the same x the line is
 * straight, otherwise an S between the two heights. A net is a trunk (its longest way down) with branches, so
 * that nothing is drawn twice.
 */
export interface Routes {
  readonly count: number;
  readonly net: Int32Array;
  /** Item that the line ends at. */
  readonly sink: Int32Array;
  /** `first[i]..first[i+1]` are the positions of line `i` in `points`, in pairs x, y. */
  readonly first: Uint32Array;
  readonly points: Float64Array;
  /** Per sink position of the nets: 1 where the edge is too long to be drawn and is a stub at both ends. */
  readonly stub: Uint8Array;
}

export interface Spacing {
  /** Between boxes beside each other. */
  readonly betweenBoxes: number;
  /** Between a line that passes and what is beside it. */
  readonly betweenLines: number;
  /** Between ranks, at least. */
  readonly betweenRanks: number;
}

export const SPACING: Spacing = { betweenBoxes: 24, betweenLines: 14, betweenRanks: 24 };
