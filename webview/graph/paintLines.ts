import { bytesText, countText } from '../units';
import { DETAIL } from './camera';
import type { Painting } from './painting';

const ARROW = 6;

/** All lines of one style in one path: stroking once is what keeps thousands of lines within a frame. */
export function paintLines(p: Painting, lines: readonly number[], color: string, width: number): void {
  const { context, scene } = p;
  if (p.k < DETAIL.lines || lines.length === 0) return;
  const curved = p.k >= DETAIL.curves;
  context.beginPath();
  for (const line of lines) trace(p, line, curved);
  context.strokeStyle = color;
  context.lineWidth = Math.max(width, 0.7 / p.k);
  context.stroke();
  if (p.k < DETAIL.label) return;
  context.beginPath();
  for (const line of lines) if (scene.lines.end[line] !== -1) arrow(p, line);
  context.fillStyle = color;
  context.fill();
}

function trace({ context, scene }: Painting, line: number, curved: boolean): void {
  const { first, points } = scene.lines;
  let p = first[line];
  let x = points[p];
  let y = points[p + 1];
  context.moveTo(x, y);
  for (p += 2; p < first[line + 1]; p += 2) {
    const toX = points[p];
    const toY = points[p + 1];
    if (toX === x || !curved) context.lineTo(toX, toY);
    else {
      const middle = (y + toY) / 2;
      context.bezierCurveTo(x, middle, toX, middle, toX, toY);
    }
    x = toX;
    y = toY;
  }
}

function arrow({ context, scene }: Painting, line: number): void {
  const end = scene.lines.first[line + 1];
  const x = scene.lines.points[end - 2];
  const y = scene.lines.points[end - 1];
  context.moveTo(x, y);
  context.lineTo(x - ARROW / 2, y - ARROW);
  context.lineTo(x + ARROW / 2, y - ARROW);
  context.closePath();
}

/** Bytes that devices send each other for a consumer, once beside its arrows. */
export function paintMessages(p: Painting, lines: readonly number[]): void {
  const { context, scene, theme, plan, model } = p;
  if (plan === null || p.k < DETAIL.full) return;
  context.font = p.fonts.badge;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const total = new Map<number, { line: number; bytes: number }>();
  for (const line of lines) {
    const op = scene.lines.end[line];
    if (!model.isOperator(op)) continue;
    const wire = scene.lines.wire[line];
    const bytes = messageBytes(p, scene.wires.tensors[scene.wires.firstTensor[wire]], op);
    if (bytes > 0) total.set(op, { line, bytes: bytes + (total.get(op)?.bytes ?? 0) });
  }
  for (const { line, bytes } of total.values()) {
    const end = scene.lines.first[line + 1];
    const x = scene.lines.points[end - 2] + 7;
    const y = scene.lines.points[end - 1] - 9;
    const text = `⇄ ${bytesText(bytes)}`;
    const width = p.text.width(text, p.fonts.badge);
    context.fillStyle = theme.background;
    context.fillRect(x - 2, y - 6, width + 4, 12);
    context.fillStyle = theme.dim;
    context.fillText(text, x, y + 0.5);
  }
}

function messageBytes({ plan, model }: Painting, tensor: number, op: number): number {
  const node = model.graph.operators.nodes[op];
  let bytes = 0;
  for (const transfer of plan!.transfers(model.graph.tensors.names[tensor])) {
    if (transfer.operator === node) bytes += transfer.bytes;
  }
  return bytes;
}

/** Labels at both ends of edges that are too long to be drawn, beside the lines that are; they light up together. */
export function paintStubs(p: Painting, stubs: readonly number[]): void {
  if (p.k < DETAIL.full) return;
  const { scene, model } = p;
  const drawn = new Map<number, number>();
  for (const stub of stubs) {
    const wire = scene.stubWire[stub];
    const sink = model.place[scene.stubNode[stub]];
    if (sink === -1) continue;
    const above = drawn.get(sink) ?? 0;
    drawn.set(sink, above + 1);
    const y = scene.y[sink] - 17 - above * 16;
    paintTag(p, sink, y, { wire, ends: [scene.wires.source[wire]], text: `↧ ${p.wireLabel(wire)}` });
  }
  for (const wire of new Set(stubs.map((stub) => scene.stubWire[stub]))) {
    const source = model.place[scene.wires.source[wire]];
    if (source === -1) continue;
    const ends = p.stubEnds(wire);
    const text = `+${countText(ends.length, 'use')} ↧`;
    paintTag(p, source, scene.y[source] + scene.height[source] + 3, { wire, ends, text });
  }
}

/** Right of the middle of a box, where its line is. */
function paintTag(
  p: Painting,
  box: number,
  y: number,
  { wire, ends, text }: { readonly wire: number; readonly ends: readonly number[]; readonly text: string },
): void {
  const { context, theme, scene } = p;
  const half = scene.width[box] / 2;
  const x = scene.x[box] + half + 6;
  const font = p.fonts.badge;
  context.font = font;
  const shown = p.text.fit(text, font, Math.max(half, 70));
  const width = p.text.width(shown, font) + 10;
  const lit = p.litWires.has(wire);
  context.beginPath();
  context.roundRect(x, y, width, 14, 7);
  context.fillStyle = lit ? theme.focus : p.badgeFill;
  context.fill();
  context.fillStyle = lit ? theme.background : theme.foreground;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillText(shown, x + 5, y + 7.5);
  p.tags.push({ wire, ends, x, y, width, height: 14 });
}
