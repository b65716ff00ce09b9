import { bytesText } from '../units';
import { PILL, TYPE_FONT, SHAPE_FONT, NAME_FONT, outputShape, shapeOf } from '../scene/sizes';
import { DETAIL } from './camera';
import type { Painting } from './painting';
import { paintShares } from './paintShares';

/** Boxes of operators, closed groups, inputs and outputs, as detailed as the zoom allows. */

const RADIUS = 6;
const STRIP = 4;
const BAR = 5;
const FADED = 0.18;
/** Screen pixels that a box keeps however far out. */
const FAR_WIDTH = 5;
/** A label grows on screen to stay readable, up to this many times its size at zoom 1. */
const LEAST_SCREEN_FONT = 9.5;

export function paintBox(p: Painting, i: number): void {
  const { scene } = p;
  const node = scene.node[i];
  const { context, model } = p;
  context.globalAlpha = p.isFaded(node) ? FADED : 1;
  if (p.k < DETAIL.label) paintFar(p, i, node);
  else if (model.isGroup(node)) paintGroup(p, i, node);
  else if (model.isOperator(node)) paintOperator(p, i, node);
  else paintEnd(p, i, node);
  context.globalAlpha = 1;
}

/** Far out: shape and colour alone, wide enough to be seen; several colours keep their proportions. */
function paintFar(p: Painting, i: number, node: number): void {
  const { context, scene, look, model, theme } = p;
  const w = Math.max(scene.width[i], FAR_WIDTH / p.k);
  const x = scene.x[i] - (w - scene.width[i]) / 2;
  const [y, h] = [scene.y[i], scene.height[i]];
  if (model.isGroup(node)) {
    context.fillStyle = theme.border;
    context.fillRect(x, y, w, h);
    paintMix(p, node, x, y, w, h);
  } else {
    context.fillStyle = model.isOperator(node) ? look.colors[look.classOf[node]] : theme.dim;
    context.fillRect(x, y, w, h);
    if (look.mode === 'device' && p.plan?.isSplit(node)) paintShares(p, node, x, y, w, h);
  }
}

function paintMix(p: Painting, node: number, x: number, y: number, w: number, h: number): void {
  const { look, context, model } = p;
  const classes = look.colors.length;
  const base = model.groupIndex(node) * classes;
  let at = x;
  for (let c = 0; c < classes; c++) {
    const part = look.mix[base + c] * w;
    if (part <= 0) continue;
    context.fillStyle = look.colors[c];
    context.fillRect(at, y, part, h);
    at += part;
  }
}

function outline(
  p: Painting,
  x: number,
  y: number,
  w: number,
  h: number,
  fill: string,
  stroke: string,
): void {
  const { context } = p;
  context.beginPath();
  context.roundRect(x, y, w, h, RADIUS);
  context.fillStyle = fill;
  context.fill();
  context.lineWidth = 1;
  context.strokeStyle = stroke;
  context.stroke();
}

function paintOperator(p: Painting, i: number, op: number): void {
  const { context, scene, look, plan, theme } = p;
  const [x, y, w, h] = [scene.x[i], scene.y[i], scene.width[i], scene.height[i]];
  const c = look.classOf[op];
  context.save();
  context.beginPath();
  context.roundRect(x, y, w, h, RADIUS);
  context.clip();
  context.fillStyle = look.fills[c];
  context.fillRect(x, y, w, h);
  if (look.mode === 'device' && plan?.isSplit(op)) paintTints(p, op, x, y, w, h);
  if (plan !== null && plan.shares(op).length > 0) paintShares(p, op, x, y + h - BAR, w, BAR);
  if (look.mode !== 'device') {
    context.fillStyle = look.colors[c];
    context.fillRect(x, y, STRIP, h - (plan === null ? 0 : BAR));
  }
  context.restore();
  context.beginPath();
  context.roundRect(x, y, w, h, RADIUS);
  context.lineWidth = 1;
  context.strokeStyle = p.model.isOpaque(op) ? theme.warning : look.strokes[c];
  context.stroke();
  if (p.k < DETAIL.full) paintLabelOnly(p, p.model.typeText(op), x + STRIP, y, w - STRIP, h);
  else paintRows(p, op, x, y, w);
}

/** The shares behind the text as well, so that a split shows at first sight. */
function paintTints(
  { context, plan, look, theme, deviceColors }: Painting,
  op: number,
  x: number,
  y: number,
  w: number,
  h: number,
): void {
  let at = x;
  for (const share of plan!.shares(op)) {
    const isShown = deviceColors[share.device] === theme.series[share.device];
    context.fillStyle = isShown ? look.fills[share.device] : theme.background;
    context.fillRect(at, y, share.fraction * w, h);
    at += share.fraction * w;
  }
}

function paintLabelOnly(p: Painting, text: string, x: number, y: number, w: number, h: number): void {
  const { context, theme } = p;
  const size = Math.max(TYPE_FONT, LEAST_SCREEN_FONT / p.k);
  const font = `600 ${size}px ${theme.font}`;
  context.font = font;
  context.fillStyle = theme.foreground;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(p.text.fit(text, font, w - 8), x + w / 2, y + h / 2);
}

/** Type and partition; name; shape and step. */
function paintRows(p: Painting, op: number, x: number, y: number, w: number): void {
  const { context, theme, plan, model } = p;
  const left = x + STRIP + 7;
  const right = x + w - 8;
  context.textBaseline = 'alphabetic';
  const badge = plan?.operator(op)?.partition;
  let room = right - left;
  if (badge && badge.dimension !== 'none') room -= paintBadge(p, op, badge.dimension, right, y + 4);
  if (p.isPinned(op)) room -= paintPin(p, left + room, y + 4);
  context.textAlign = 'left';
  context.fillStyle = theme.foreground;
  context.font = p.fonts.type;
  context.fillText(p.text.fit(model.typeText(op), p.fonts.type, room), left, y + 16);
  let row = y + 30;
  context.fillStyle = theme.dim;
  const name = model.graph.operators.names[op];
  if (name !== '') {
    context.font = p.fonts.name;
    context.fillText(p.text.fit(shortName(name), p.fonts.name, right - left), left, row - 1);
    row += 13;
  }
  context.font = p.fonts.shape;
  const step = plan === null ? -1 : plan.stepOf(op);
  let shapeRoom = right - left;
  if (step >= 0) {
    context.textAlign = 'right';
    const text = `#${step}`;
    context.fillText(text, right, row - 1);
    shapeRoom -= p.text.width(text, p.fonts.shape) + 6;
    context.textAlign = 'left';
  }
  context.fillText(p.text.fit(outputShape(model.graph, op), p.fonts.shape, shapeRoom), left, row - 1);
}

/** `H` or, with replicated weights, `H ×3`; returns the room it took. */
function paintBadge(p: Painting, op: number, dimension: string, right: number, y: number): number {
  const { context, theme, plan } = p;
  const copies = plan?.copiesOfWeights(op) ?? 1;
  const text = copies > 1 ? `${dimension} ×${copies}` : dimension;
  context.font = p.fonts.badge;
  const width = p.text.width(text, p.fonts.badge) + 10;
  context.beginPath();
  context.roundRect(right - width, y, width, 15, 7.5);
  context.fillStyle = p.badgeFill;
  context.fill();
  context.fillStyle = theme.foreground;
  context.textAlign = 'center';
  context.fillText(text, right - width / 2, y + 11);
  return width + 6;
}

/** A needle with a head: the next what-if leaves this operator as the user wants it. Returns the room it took. */
function paintPin({ context, theme }: Painting, right: number, y: number): number {
  const x = right - 6;
  context.strokeStyle = context.fillStyle = theme.warning;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x, y + 6);
  context.lineTo(x, y + 14);
  context.stroke();
  context.beginPath();
  context.arc(x, y + 4, 3.2, 0, 2 * Math.PI);
  context.fill();
  return 14;
}

function paintGroup(p: Painting, i: number, node: number): void {
  const { context, scene, theme, model } = p;
  const [x, y, w, h] = [scene.x[i], scene.y[i], scene.width[i], scene.height[i]];
  outline(p, x + 3, y + 3, w - 3, h - 3, theme.background, theme.border);
  outline(p, x, y, w - 3, h - 3, p.groupFill, p.groupStroke);
  context.save();
  context.beginPath();
  context.roundRect(x, y, w - 3, h - 3, RADIUS);
  context.clip();
  paintMix(p, node, x, y + h - 3 - BAR, w - 3, BAR);
  context.restore();
  const label = model.title1(node);
  if (p.k < DETAIL.full) {
    paintLabelOnly(p, label, x, y, w - 3, h - 3);
    return;
  }
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
  context.fillStyle = theme.foreground;
  context.font = p.fonts.type;
  context.fillText(p.text.fit(label, p.fonts.type, w - 40), x + 12, y + 20);
  context.font = p.fonts.shape;
  context.fillStyle = theme.dim;
  const { first, second } = p.groupNote(node);
  context.fillText(p.text.fit(first, p.fonts.shape, w - 26), x + 12, y + 36);
  context.fillText(p.text.fit(second, p.fonts.shape, w - 26), x + 12, y + 51);
  paintPlus(p, x + w - 20, y + 15);
}

function paintPlus({ context, theme }: Painting, x: number, y: number): void {
  context.strokeStyle = theme.dim;
  context.lineWidth = 1.4;
  context.beginPath();
  context.roundRect(x - 7, y - 7, 14, 14, 3);
  context.moveTo(x - 3.5, y);
  context.lineTo(x + 3.5, y);
  context.moveTo(x, y - 3.5);
  context.lineTo(x, y + 3.5);
  context.stroke();
}

/** A graph input or output: a pill with name and shape. */
function paintEnd(p: Painting, i: number, node: number): void {
  const { context, scene, theme, model } = p;
  const [x, y, w, h] = [scene.x[i], scene.y[i], scene.width[i], scene.height[i]];
  context.beginPath();
  context.roundRect(x, y, w, h, PILL.height / 2);
  context.fillStyle = p.groupFill;
  context.fill();
  context.lineWidth = 1.2;
  context.strokeStyle = theme.dim;
  context.stroke();
  const tensor = model.endTensor(node);
  const name = model.graph.tensors.names[tensor];
  if (p.k < DETAIL.full) {
    paintLabelOnly(p, name, x, y, w, h);
    return;
  }
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  context.fillStyle = theme.foreground;
  context.font = p.fonts.name;
  context.fillText(p.text.fit(name, p.fonts.name, w - 20), x + w / 2, y + 14);
  context.fillStyle = theme.dim;
  context.font = p.fonts.shape;
  const shape = shapeOf(model.graph, tensor);
  const bytes = model.graph.tensors.bytes[tensor];
  const text = shape === '?' || shape === '' ? bytesText(bytes) : shape;
  context.fillText(p.text.fit(text, p.fonts.shape, w - 18), x + w / 2, y + 27);
}

/** The last part of a scoped name: the scopes stand around the box already. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1) || name;
}

export const FONT_SIZES = { type: TYPE_FONT, name: NAME_FONT, shape: SHAPE_FONT } as const;
