import { interpolateRgb, piecewise, quantize } from 'd3';
import { CATEGORIES, categoryColors, categoryOf } from '../categories';
import type { GraphModel } from '../graphModel';
import { DIMENSION_LABELS } from '../plan/dimensions';
import type { PlanIndex } from '../plan/planIndex';
import { legible, mix, type Theme } from '../theme';
import { bytesText, secondsText } from '../units';

export const COLOR_MODES = ['type', 'device', 'dimension', 'memory', 'time'] as const;
export type ColorMode = (typeof COLOR_MODES)[number];

export const COLOR_MODE_LABELS: Readonly<Record<ColorMode, string>> = {
  type: 'Operator type',
  device: 'Device',
  dimension: 'Partition dimension',
  memory: 'Memory live at its step',
  time: 'Compute time',
};

/** How operators are coloured: a class each, and what a class looks like. */
export interface Look {
  readonly mode: ColorMode;
  readonly classOf: Uint8Array;
  readonly labels: readonly string[];
  readonly colors: readonly string[];
  readonly fills: readonly string[];
  readonly strokes: readonly string[];
  /** Operators of each class; one with several parts counts in each. */
  readonly counts: Uint32Array;
  /** Per group and class the fraction of the group's operators: `mix[group * classes + class]`. */
  readonly mix: Float32Array;
}

const HEAT_CLASSES = 8;
const DIMENSIONS = ['none', 'H', 'W', 'C', 'K'] as const;
interface Classes {
  readonly labels: readonly string[];
  readonly colors: readonly string[];
  readonly classOf: (op: number) => number;
  /** Classes of an operator that has several, with their fractions. */
  readonly parts?: (op: number) => readonly Part[];
}

interface Part {
  readonly device: number;
  readonly fraction: number;
}

export function buildLook(mode: ColorMode, model: GraphModel, plan: PlanIndex | null, theme: Theme): Look {
  const classes = classesFor(plan === null && mode !== 'memory' ? 'type' : mode, model, plan, theme);
  const count = model.operatorCount;
  const classOf = new Uint8Array(count);
  const counts = new Uint32Array(classes.labels.length);
  const parts = classes.parts ?? (() => []);
  for (let op = 0; op < count; op++) {
    classOf[op] = classes.classOf(op);
    const several = parts(op);
    if (several.length === 0) counts[classOf[op]]++;
    for (const { device } of several) counts[device]++;
  }
  return {
    ...{ mode, classOf, counts, labels: classes.labels, colors: classes.colors },
    fills: classes.colors.map((color) =>
      mix(theme.background, color, theme.kind.startsWith('hc') ? 0.08 : 0.14),
    ),
    strokes: classes.colors.map((color) =>
      mix(theme.background, color, theme.kind.startsWith('hc') ? 1 : 0.6),
    ),
    mix: mixOfGroups(model, classOf, parts, classes.labels.length),
  };
}

function classesFor(mode: ColorMode, model: GraphModel, plan: PlanIndex | null, theme: Theme): Classes {
  if (plan === null) return byType(model, theme);
  if (mode === 'device') {
    const colors = plan.deviceNames.map((_, i) => theme.series[i % theme.series.length]);
    return {
      labels: [...plan.deviceNames, 'Nowhere (a view)'],
      colors: [...colors, theme.dim],
      classOf: (op) => (plan.mainDevice(op) === -1 ? colors.length : plan.mainDevice(op)),
      parts: (op) => plan.shares(op),
    };
  }
  if (mode === 'dimension') {
    const { dim, blue, green, orange, purple } = theme;
    return {
      labels: DIMENSIONS.map((dimension) => DIMENSION_LABELS[dimension]),
      colors: [dim, blue, green, orange, purple],
      classOf: (op) => Math.max(0, DIMENSIONS.indexOf(plan.operator(op)?.partition.dimension ?? 'none')),
    };
  }
  if (mode === 'memory') {
    const live = plan.view.memory.liveBytes;
    return heat(theme, (op) => live[plan.stepOf(op)] ?? 0, plan.view.memory.peakBytes, bytesText);
  }
  if (mode === 'time') {
    let most = 0;
    for (let op = 0; op < model.operatorCount; op++) most = Math.max(most, plan.computeSeconds(op));
    return heat(theme, (op) => plan.computeSeconds(op), most, secondsText);
  }
  return byType(model, theme);
}

function byType(model: GraphModel, theme: Theme): Classes {
  const categories = model.graph.operators.typeNames.map(categoryOf);
  return {
    labels: CATEGORIES,
    colors: categoryColors(theme),
    classOf: (op) => categories[model.graph.operators.types[op]],
  };
}

function heat(
  theme: Theme,
  value: (op: number) => number,
  most: number,
  text: (value: number) => string,
): Classes {
  const colors = quantize(piecewise(interpolateRgb, [theme.blue, theme.yellow, theme.red]), HEAT_CLASSES);
  return {
    labels: colors.map((_, i) => `up to ${text((most * (i + 1)) / HEAT_CLASSES)}`),
    colors,
    classOf: (op) => {
      const part = most === 0 ? 0 : value(op) / most;
      return Math.min(HEAT_CLASSES - 1, Math.max(0, Math.ceil(part * HEAT_CLASSES - 1e-9) - 1));
    },
  };
}

function mixOfGroups(
  { hierarchy }: GraphModel,
  classOf: Uint8Array,
  parts: (op: number) => readonly Part[],
  classes: number,
): Float32Array {
  const { leafCount, nodeCount, parent, operatorsInside } = hierarchy;
  const mixed = new Float32Array((nodeCount - leafCount) * classes);
  for (let op = 0; op < classOf.length; op++) {
    const several = parts(op);
    for (let at = parent[op]; at !== -1; at = parent[at]) {
      const base = (at - leafCount) * classes;
      const one = 1 / operatorsInside[at - leafCount];
      if (several.length === 0) mixed[base + classOf[op]] += one;
      for (const { device, fraction } of several) mixed[base + device] += one * fraction;
    }
  }
  return mixed;
}

/** Text in a class colour that can be read on the background. */
export function textColor(theme: Theme, color: string): string {
  return legible(color, theme.background, theme.foreground);
}
