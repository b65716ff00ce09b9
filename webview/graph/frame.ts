import type { GraphModel } from '../graphModel';
import type { Session, Target } from '../session';
import { mix, withAlpha, type Theme } from '../theme';
import { outputShape, shortType } from '../scene/sizes';
import { worldView, type Camera } from './camera';
import { buildLook, type Look } from './look';
import { FONT_SIZES, paintBox } from './paintBoxes';
import { paintContents } from './paintContents';
import { paintFrame } from './paintFrames';
import { paintLines, paintMessages, paintStubs } from './paintLines';
import type { Fonts, GroupNote, Painting, Tag } from './painting';
import { countText } from '../units';
import type { TextFitter } from './text';

/** Screen size below which a box that falls on the pixel of the last one is left out. */
const ONE_PIXEL = 1;

/** Paints one frame of the graph; returns the tags that it drew, for the pointer. */
export class FramePainter {
  private look: Look | null = null;
  private readonly notes = new Map<number, GroupNote>();

  constructor(
    private readonly session: Session,
    private readonly text: TextFitter,
  ) {
    session.on(['graph', 'plan', 'theme', 'look'], () => {
      this.look = null;
      this.notes.clear();
    });
    session.on(['theme'], () => text.clear());
  }

  currentLook(model: GraphModel): Look {
    const { shownColorMode, shownPlan, theme } = this.session;
    this.look ??= buildLook(shownColorMode, model, shownPlan, theme);
    return this.look;
  }

  paint(
    context: CanvasRenderingContext2D,
    camera: Camera,
    width: number,
    height: number,
    ratio: number,
  ): Tag[] {
    const { model, theme } = this.session;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = theme.background;
    context.fillRect(0, 0, width * ratio, height * ratio);
    if (model === null) return [];
    context.setTransform(ratio * camera.k, 0, 0, ratio * camera.k, ratio * camera.x, ratio * camera.y);
    const painting = this.painting(context, model, camera.k);
    const seen = visible(model, worldView(camera, width, height));
    this.paintBackground(painting, seen);
    this.paintContents(painting, seen);
    paintContents(painting, seen.boxes);
    this.paintMarks(painting);
    return painting.tags;
  }

  private painting(context: CanvasRenderingContext2D, model: GraphModel, k: number): Painting {
    const { theme, shownPlan: plan } = this.session;
    const look = this.currentLook(model);
    const lit = litWires(model, this.session.hover, this.session.selection);
    return {
      ...{ context, model, scene: model.scene, plan, look, theme, text: this.text, k },
      fonts: fontsOf(theme),
      deviceColors: deviceColors(theme, plan === null ? null : this.session.shownDevice),
      badgeFill: mix(theme.background, theme.foreground, 0.14),
      groupFill: mix(theme.background, theme.foreground, theme.kind.startsWith('hc') ? 0 : 0.06),
      groupStroke: mix(theme.background, theme.foreground, theme.kind.startsWith('hc') ? 1 : 0.4),
      lineColor: mix(theme.background, theme.foreground, theme.kind.startsWith('hc') ? 0.75 : 0.42),
      frameFill: withAlpha(theme.foreground, theme.kind.startsWith('hc') ? 0 : 0.028),
      litWires: lit,
      isFaded: this.fading(model, look),
      isPinned: (op) => plan !== null && this.session.pins.has(model.graph.operators.nodes[op]),
      groupNote: (node) => this.groupNote(model, node),
      wireLabel: (wire) => wireLabel(model, wire),
      stubEnds: (wire) => [...model.scene.stubNode.filter((_, s) => model.scene.stubWire[s] === wire)],
      tags: [],
    };
  }

  private fading(model: GraphModel, look: Look): (node: number) => boolean {
    const { hiddenClasses, shownDevice: device, shownPlan } = this.session;
    const isOutside = this.outsideRange();
    if (hiddenClasses.size === 0 && (device === null || shownPlan === null) && isOutside === null)
      return () => false;
    const isHidden = (op: number): boolean => {
      const shares = look.mode === 'device' ? (shownPlan?.shares(op) ?? []) : [];
      if (shares.length === 0) return hiddenClasses.has(look.classOf[op]);
      return shares.every((share) => hiddenClasses.has(share.device));
    };
    return (node) => {
      if (!model.isOperator(node)) return false;
      if (isHidden(node) || isOutside?.(node) === true) return true;
      return device !== null && shownPlan !== null && !shownPlan.usesDevice(node, device);
    };
  }

  /** Which operators lie outside the brushed part of the order; `null` where nothing is brushed. */
  private outsideRange(): ((op: number) => boolean) | null {
    const { range, trail } = this.session;
    const steps = this.session.orderSteps;
    if (range === null || steps === null || trail.length !== 1) return null;
    return (op) => steps[op] < range.from || steps[op] >= range.to;
  }

  private paintBackground(p: Painting, { boxes, lines }: Visible): void {
    for (const i of boxes) if (p.scene.frame[i] === 1) paintFrame(p, i);
    paintLines(p, lines, p.lineColor, 1.2);
    const lit = lines.filter((line) => p.litWires.has(p.scene.lines.wire[line]));
    paintLines(p, lit, p.theme.focus, 2.4);
  }

  private paintContents(p: Painting, { boxes, lines, stubs }: Visible): void {
    let lastX = -1;
    let lastY = -1;
    for (const i of boxes) {
      if (p.scene.frame[i] === 1) continue;
      if (p.scene.height[i] * p.k < ONE_PIXEL) {
        const px = Math.floor(p.scene.x[i] * p.k);
        const py = Math.floor(p.scene.y[i] * p.k);
        if (px === lastX && py === lastY) continue;
        lastX = px;
        lastY = py;
      }
      paintBox(p, i);
    }
    paintMessages(p, lines);
    paintStubs(p, stubs);
  }

  private paintMarks(p: Painting): void {
    const { hover, selection, plan, step } = this.session;
    if (plan !== null && this.session.shownPlan !== null) {
      this.mark(p, plan.view.memory.operators[plan.view.memory.peakStep], p.theme.error, 2.5, 4);
      if (step !== null) this.mark(p, plan.view.memory.operators[step], p.theme.foreground, 2, 6);
    }
    for (const op of this.failed()) this.mark(p, op, p.theme.error, 3, 2);
    if (hover?.kind === 'node') this.mark(p, hover.node, p.theme.focus, 1.5, 2);
    if (selection?.kind === 'node') this.mark(p, selection.node, p.theme.focus, 2.5, 3);
  }

  private failed(): number[] {
    const { verification, trail } = this.session;
    if (verification === null || trail.length !== 1) return [];
    return verification.tensors.flatMap((tensor) =>
      tensor.passed || tensor.operator === null ? [] : [tensor.operator],
    );
  }

  /** A ring of constant width on the screen around the node, or what stands for it. */
  private mark(p: Painting, node: number | undefined, color: string, width: number, away: number): void {
    if (node === undefined || node < 0) return;
    const i = p.model.place[p.model.shownFor(node)];
    if (i === -1) return;
    const { context, scene, k } = p;
    const gap = away / k;
    context.beginPath();
    const box = [
      scene.x[i] - gap,
      scene.y[i] - gap,
      scene.width[i] + 2 * gap,
      scene.height[i] + 2 * gap,
    ] as const;
    context.roundRect(...box, 8);
    context.strokeStyle = color;
    context.lineWidth = width / k;
    context.stroke();
  }

  private groupNote(model: GraphModel, node: number): GroupNote {
    const known = this.notes.get(node);
    if (known !== undefined) return known;
    const note = describeGroup(model, node);
    this.notes.set(node, note);
    return note;
  }
}

interface Visible {
  readonly boxes: readonly number[];
  readonly lines: readonly number[];
  readonly stubs: readonly number[];
}

function visible(
  { scene, spatial, place }: GraphModel,
  view: { minX: number; minY: number; maxX: number; maxY: number },
): Visible {
  const bands = spatial.firstBox.length - 1;
  const from = Math.min(bands - 1, Math.max(0, Math.floor(view.minY / spatial.bandHeight)));
  const to = Math.min(bands - 1, Math.max(0, Math.floor(view.maxY / spatial.bandHeight)));
  const boxes: number[] = [];
  for (const i of inBands(spatial.firstBox, spatial.boxes, from, to, scene.node.length)) {
    const out =
      scene.x[i] > view.maxX ||
      scene.x[i] + scene.width[i] < view.minX ||
      scene.y[i] > view.maxY ||
      scene.y[i] + scene.height[i] < view.minY;
    if (!out) boxes.push(i);
  }
  const lines: number[] = [];
  const b = spatial.lineBounds;
  for (const line of inBands(spatial.firstLine, spatial.lines, from, to, scene.lines.wire.length)) {
    const at = line * 4;
    const out = b[at] > view.maxX || b[at + 2] < view.minX || b[at + 1] > view.maxY || b[at + 3] < view.minY;
    if (!out) lines.push(line);
  }
  const stubs: number[] = [];
  for (let s = 0; s < scene.stubWire.length; s++) {
    const near = [scene.stubNode[s], scene.wires.source[scene.stubWire[s]]].some((node) => {
      const i = place[node];
      return i !== -1 && scene.y[i] < view.maxY + 40 && scene.y[i] + scene.height[i] > view.minY - 40;
    });
    if (near) stubs.push(s);
  }
  return { boxes, lines, stubs };
}

/** What the bands hold, each once and in the order of the scene (frames before what they hold). */
function inBands(
  first: Uint32Array,
  list: Uint32Array,
  from: number,
  to: number,
  count: number,
): Iterable<number> {
  if (from === to) return list.subarray(first[from], first[from + 1]);
  const size = first[to + 1] - first[from];
  if (size > count) return Array.from({ length: count }, (_, i) => i);
  const all = list.slice(first[from], first[to + 1]).sort();
  return all.filter((value, i) => i === 0 || value !== all[i - 1]);
}

/** Wires to light up: the one pointed at, or all around the node that is. */
function litWires(model: GraphModel, hover: Target | null, selection: Target | null): ReadonlySet<number> {
  const lit = new Set<number>();
  for (const target of [hover, selection]) {
    if (target?.kind === 'wire') lit.add(target.wire);
    else if (target?.kind === 'node' && model.place[target.node] !== undefined) {
      const { incoming, outgoing } = model.wiresAt(target.node);
      for (const wire of [...incoming, ...outgoing]) lit.add(wire);
    } else if (target?.kind === 'tensor') {
      const { firstTensor, tensors } = model.scene.wires;
      const at = tensors.indexOf(target.tensor);
      if (at !== -1) lit.add(firstTensor.findIndex((begin, w) => begin <= at && at < firstTensor[w + 1]));
    }
  }
  return lit;
}

function wireLabel(model: GraphModel, wire: number): string {
  const { firstTensor, tensors } = model.scene.wires;
  const count = firstTensor[wire + 1] - firstTensor[wire];
  const name = model.graph.tensors.names[tensors[firstTensor[wire]]];
  return count === 1 ? name : `${name} +${count - 1}`;
}

function describeGroup(model: GraphModel, node: number): GroupNote {
  const { hierarchy } = model;
  const inside = hierarchy.operatorsInside[model.groupIndex(node)];
  if (inside === 0) return describeEnds(model, node);
  const counts = new Map<string, number>();
  let lastOperator = -1;
  const visit = (group: number): void => {
    for (let i = hierarchy.firstChild[group]; i < hierarchy.firstChild[group + 1]; i++) {
      const child = hierarchy.children[i];
      if (model.isGroup(child)) visit(model.groupIndex(child));
      else {
        const type = shortType(model.typeName(child));
        counts.set(type, (counts.get(type) ?? 0) + 1);
        lastOperator = Math.max(lastOperator, child);
      }
    }
  };
  visit(model.groupIndex(node));
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 3);
  const shape = lastOperator === -1 ? '' : outputShape(model.graph, lastOperator);
  const count = countText(inside, 'operator');
  return {
    first: shape === '' ? count : `${count} · ${shape}`,
    second: most.map(([type, times]) => `${type} ×${times}`).join(', '),
  };
}

/** Of gathered inputs or outputs: the first name and the last. */
function describeEnds(model: GraphModel, node: number): GroupNote {
  const { firstChild, children } = model.hierarchy;
  const g = model.groupIndex(node);
  const [first, last] = [firstChild[g], firstChild[g + 1] - 1].map((i) => children[i]);
  return { first: model.title1(first), second: `… ${model.title1(last)}` };
}

/** How much of its colour a device keeps while another one is shown alone. */
const FAINT = 0.16;

function deviceColors({ series, background }: Theme, only: number | null): readonly string[] {
  if (only === null) return series;
  return series.map((color, device) => (device === only ? color : mix(background, color, FAINT)));
}

function fontsOf({ font }: Theme): Fonts {
  return {
    type: `600 ${FONT_SIZES.type}px ${font}`,
    name: `${FONT_SIZES.name}px ${font}`,
    shape: `${FONT_SIZES.shape}px ${font}`,
    badge: `600 10px ${font}`,
    frame: `11px ${font}`,
  };
}
