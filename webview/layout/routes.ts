import type { Layered } from './elements';
import type { Rows } from './rows';
import type { LevelGraph, Routes } from './types';

/** Edges as lines along the dummies: down the rank bands straight, across in the gaps between them. */
export function route(level: LevelGraph, layered: Layered, x: Float64Array, rows: Rows): Routes {
  const { nets } = level;
  const out: Lines = { net: [], sink: [], first: [0], points: [] };
  for (let net = 0; net < nets.count; net++) routeNet(level, layered, x, rows, net, out);
  return {
    count: out.net.length,
    net: Int32Array.from(out.net),
    sink: Int32Array.from(out.sink),
    first: Uint32Array.from(out.first),
    points: Float64Array.from(out.points),
    stub: layered.stub,
  };
}

interface Lines {
  readonly net: number[];
  readonly sink: number[];
  readonly first: number[];
  readonly points: number[];
}

/** The furthest sink's line runs the whole trunk, the others leave it at the rank above their sink. */
function routeNet(
  level: LevelGraph,
  layered: Layered,
  x: Float64Array,
  rows: Rows,
  net: number,
  out: Lines,
): void {
  const { nets } = level;
  const source = nets.source[net];
  const top = layered.rank[source];
  const depth = layered.chainLength[net] + 1;
  let trunkDrawn = false;
  for (let s = nets.first[net]; s < nets.first[net + 1]; s++) {
    if (layered.stub[s] === 1) continue;
    const sink = nets.sinks[s];
    const span = layered.rank[sink] - top;
    const wholeTrunk = span === depth && !trunkDrawn;
    if (wholeTrunk) trunkDrawn = true;
    const from = wholeTrunk ? 0 : span - 1;
    let at: number;
    if (from === 0) {
      at = x[source] + nets.sourceOffset[net];
      push(out, at, rows.itemTop[source] + level.height[source]);
      push(out, at, rows.bottom[top]);
    } else {
      at = x[layered.chainStart[net] + from - 1];
      push(out, at, rows.bottom[top + from]);
    }
    for (let step = from + 1; step < span; step++) {
      at = x[layered.chainStart[net] + step - 1];
      push(out, at, rows.top[top + step]);
      push(out, at, rows.bottom[top + step]);
    }
    at = x[sink] + nets.sinkOffset[s];
    push(out, at, rows.top[top + span]);
    push(out, at, rows.itemTop[sink]);
    out.net.push(net);
    out.sink.push(sink);
    out.first.push(out.points.length);
  }
}

/** Leaves out points that lie on the straight line between their neighbours. */
function push({ points, first }: Lines, x: number, y: number): void {
  const start = first[first.length - 1];
  const end = points.length;
  if (end - start >= 2 && points[end - 2] === x && points[end - 1] === y) return;
  if (end - start >= 4 && points[end - 2] === x && points[end - 4] === x) points[end - 1] = y;
  else points.push(x, y);
}
