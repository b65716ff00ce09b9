/**
 * What an operator costs, needs, makes and keeps when all that is known of a partition is *how much* of the axis
 * each device computes: least times, needs and weights, largest holdings, over every place along the axis, every
 * order of the devices and every recomputed halo that a plan may choose. Tables by length, made once.
 */
import { boxesBytes } from '../../partition/boxBytes';
import {
  NONE,
  type Bytes,
  type DeviceId,
  type OperatorId,
  type StorageId,
  type TensorId,
} from '../../graph/units';
import type { Box, Split } from '../../partition/partition';
import {
  followTensor,
  largestNeed,
  leastNeed,
  leastTable,
  makeTable,
  MIXED_AXIS,
  neededByAny,
  rising,
  WHOLE_AXIS,
  wholeMade,
  wholeNeed,
  type Follow,
  type LeastNeeds,
  type MakeTable,
  type NeedTable,
  type Spans,
} from './lengthTables';
import type { BoundScene } from './scene';

/** One way to run an operator: whole on one device, or one of its splits (a `K` split with its `reduceOn`). */
export interface Option {
  /** Position in `PartitionRules.splits`, or `NONE`. */
  readonly split: number;
  /** The device of a whole operator or of a reduction, else `NONE`. */
  readonly device: DeviceId;
  readonly isReduced: boolean;
  /** Units of the axis; lengths count in them. */
  readonly length: number;
  /** `computeNs[device][length]`, rising; 0 for length 0. */
  readonly computeNs: readonly Float64Array[];
  /** Per storage in `OperatorFlow.reads`; in a problem per passage that comes to the operator (`passages.ts`). */
  readonly needs: readonly NeedTable[];
  /** Per storage in `OperatorFlow.makes`; of a reduced split the whole. */
  readonly makes: readonly MakeTable[];
  /** Bytes that a device holds during the step at least, by length: inputs, weights and outputs. */
  readonly heldBytes: Float64Array;
  /** Of these the inputs and outputs; rising. */
  readonly activationBytes: Float64Array;
  /** Bytes that a reduction's device holds beside: the sum, and another's partial sum. */
  readonly reducedBytes: Bytes;
  /** Bytes of inputs and outputs that all devices hold together, at least. */
  readonly togetherBytes: Bytes;
  /** Weight bytes that no other operator uses, at least, by length; rising. */
  readonly weightBytes: Float64Array;
}

export function operatorOptions(scene: BoundScene, operator: OperatorId): Option[] {
  const { cluster, rules } = scene;
  const options = cluster.devices.map((_, device) => wholeOption(scene, operator, device));
  if (cluster.devices.length === 1) return options;
  rules.splits(operator).forEach((split, position) => {
    const table = splitOption(scene, operator, split, position);
    if (!table.isReduced) options.push(table);
    else cluster.devices.forEach((_, device) => options.push({ ...table, device }));
  });
  return options;
}

/** What stands for rows and columns alike. */
export interface ColumnsAsRows {
  /** Options along columns that are left out. */
  readonly columns: ReadonlySet<Option>;
  /** For options along rows that are not the same as along columns: what is least of both. */
  readonly either: ReadonlyMap<Option, Option>;
  /** Steps of these. */
  readonly uneven: ReadonlySet<number>;
}

const NO_COLUMNS: ColumnsAsRows = { columns: new Set(), either: new Map(), uneven: new Set() };

/**
 * Options along columns, where each has one along rows that has as many units, the same axes of every storage for all
 * operators; none otherwise. They can be left out then: with the same lengths as rows instead, each device lacks
 * no more, since of what it needs it holds `min(need, held)` at most where both are rows, and `need * held / all` where
 * they lie across each other. Where rows need more than columns or less (kernels of unequal sides), the least of both counts.
 */
export function columnsAsRows(scene: BoundScene, options: readonly (readonly Option[])[]): ColumnsAsRows {
  const { flow, rules } = scene;
  const columns = new Set<Option>();
  const either = new Map<Option, Option>();
  const uneven = new Set<number>();
  /** Per storage its axes along rows and along columns. */
  const axes = new Map<StorageId, string>();
  const isSame = (storage: StorageId, pair: string): boolean => (axes.get(storage) ?? pair) === pair;
  for (const [step, own] of options.entries()) {
    const { reads, makes } = flow.operators[flow.steps[step]];
    const splits = rules.splits(flow.steps[step]);
    const along = (dimension: string): Option[] =>
      own.filter(({ split }) => split !== NONE && splits[split].dimension === dimension);
    const rows = along('H');
    for (const column of along('W')) {
      const pairs = (row: Option): [StorageId, string][] => [
        ...reads.map(({ storage }, i): [StorageId, string] => [
          storage,
          `${row.needs[i].axis} ${column.needs[i].axis}`,
        ]),
        ...makes.map((storage, i): [StorageId, string] => [
          storage,
          `${row.makes[i].axis} ${column.makes[i].axis}`,
        ]),
      ];
      const row = rows.find(
        (candidate) =>
          isAsLong(candidate, column) && pairs(candidate).every(([storage, pair]) => isSame(storage, pair)),
      );
      if (row === undefined) return NO_COLUMNS;
      for (const [storage, pair] of pairs(row)) axes.set(storage, pair);
      columns.add(column);
      if (isAlike(row, column)) continue;
      either.set(row, leastOfBoth(row, column));
      uneven.add(step);
    }
  }
  return { columns, either, uneven };
}

/** They make the same, and need parts of as many elements. */
function isAsLong(a: Option, b: Option): boolean {
  return (
    a.length === b.length &&
    a.makes.every(
      (make, i) =>
        isSameCut(make, b.makes[i]) &&
        isSameSpans(make.spans, b.makes[i].spans) &&
        isSameTable(make.most, b.makes[i].most),
    ) &&
    a.needs.every((need, i) => isSameCut(need, b.needs[i]) && need.slab === b.needs[i].slab)
  );
}

function isAlike(a: Option, b: Option): boolean {
  return (
    isSameTable(a.weightBytes, b.weightBytes) &&
    isSameTable(a.activationBytes, b.activationBytes) &&
    a.computeNs.every((table, d) => isSameTable(table, b.computeNs[d])) &&
    a.needs.every(
      (need, i) =>
        isSameSpans(need.spans, b.needs[i].spans) &&
        need.overlap === b.needs[i].overlap &&
        need.mostOverlap === b.needs[i].mostOverlap &&
        isSameTable(need.deep.needed, b.needs[i].deep.needed) &&
        isSameTable(need.atEnd, b.needs[i].atEnd) &&
        isSameTable(need.inside.needed, b.needs[i].inside.needed) &&
        isSameTable(need.mostNeeded, b.needs[i].mostNeeded),
    )
  );
}

function isSameTable(x: Float64Array, y: Float64Array): boolean {
  return x.length === y.length && x.every((value, i) => value === y[i]);
}

function isSameSpans(x: Spans | undefined, y: Spans | undefined): boolean {
  return (
    x === y ||
    (x !== undefined &&
      y !== undefined &&
      x.slab === y.slab &&
      isSameTable(x.from, y.from) &&
      isSameTable(x.to, y.to))
  );
}

/** A row that needs, takes and keeps no more than either. */
function leastOfBoth(row: Option, column: Option): Option {
  return {
    ...row,
    computeNs: row.computeNs.map((table, d) => leastTable(table, column.computeNs[d])),
    needs: row.needs.map((need, i) => leastNeed(need, column.needs[i])),
    heldBytes: leastTable(row.heldBytes, column.heldBytes),
    activationBytes: leastTable(row.activationBytes, column.activationBytes),
    togetherBytes: Math.min(row.togetherBytes, column.togetherBytes),
    weightBytes: leastTable(row.weightBytes, column.weightBytes),
  };
}

/** Runs count only where no axis is known. */
function isSameCut(a: NeedTable | MakeTable, b: NeedTable | MakeTable): boolean {
  return (
    (a.axis === MIXED_AXIS) === (b.axis === MIXED_AXIS) && (a.axis !== MIXED_AXIS || a.isRun === b.isRun)
  );
}

function wholeOption(scene: BoundScene, operator: OperatorId, device: DeviceId): Option {
  const { graph, rules, flow } = scene;
  const work = rules.work(operator, undefined, 0, 1);
  const { inputs, outputs, type } = graph.operators[operator];
  const bytes = boxesBytes(scene.graph, inputs, work.inputs) + boxesBytes(scene.graph, outputs, work.outputs);
  const activations = scene.activationBytes(operator);
  return {
    split: NONE,
    device,
    isReduced: false,
    length: 1,
    computeNs: scene.cluster.devices.map((_, d) =>
      Float64Array.of(0, scene.costs.computeNs(d, type, work.flops, bytes)),
    ),
    needs: flow.operators[operator].reads.map(({ storage }) =>
      wholeNeed(scene.space(storage).size, scene.elementBytes(storage)),
    ),
    makes: flow.operators[operator].makes.map((storage) => {
      const most = Float64Array.of(0, scene.space(storage).size);
      return { most, perUnit: most[1], axis: WHOLE_AXIS, isRun: true };
    }),
    heldBytes: Float64Array.of(
      0,
      activations + scene.weightBytes(operator, work.inputs, (tensor) => scene.isWeight(tensor)),
    ),
    activationBytes: Float64Array.of(0, activations),
    reducedBytes: 0,
    togetherBytes: activations,
    weightBytes: Float64Array.of(
      0,
      scene.weightBytes(operator, work.inputs, (tensor) => scene.isOwnWeight(tensor)),
    ),
  };
}

function splitOption(scene: BoundScene, operator: OperatorId, split: Split, position: number): Option {
  const { graph, flow, rules, cluster, costs } = scene;
  const { inputs, outputs, type, flops = 0 } = graph.operators[operator];
  const length = split.length / split.unit;
  const probes = Array.from({ length }, (_, i) =>
    rules.work(operator, split, i * split.unit, (i + 1) * split.unit),
  );
  const follow = (tensor: TensorId, boxes: (Box | undefined)[]): Follow => followTensor(scene, tensor, boxes);
  const read = inputs.map((tensor, i) =>
    tensor === NONE
      ? undefined
      : follow(
          tensor,
          probes.map((p) => p.inputs[i]),
        ),
  );
  const made = outputs.map((tensor, i) =>
    tensor === NONE
      ? undefined
      : follow(
          tensor,
          probes.map((p) => p.outputs[i]),
        ),
  );
  const isReduced = split.dimension === 'K';
  const least = new Float64Array(length + 1);
  [...read, ...made].forEach((part, i) => {
    if (part === undefined) return;
    const tensor = i < inputs.length ? inputs[i] : outputs[i - inputs.length];
    const { atEnd, inside } = part.least;
    for (let n = 1; n <= length; n++) least[n] += scene.bytes(tensor, Math.min(atEnd[n], inside[n]));
  });
  const storageOf = (tensor: TensorId): number => graph.tensors[tensor].storage;
  const needs = flow.operators[operator].reads.map(({ storage }) =>
    largestNeed(
      read.filter((part, i) => part && storageOf(inputs[i]) === storage) as Follow[],
      length,
      scene.elementBytes(storage),
    ),
  );
  const activationBytes = activationTable(scene, operator, length, needs, made);
  const weightBytes = (isCounted: (tensor: TensorId) => boolean): Float64Array =>
    weightTable(scene, operator, read, length, isCounted);
  const allWeights = weightBytes((tensor) => scene.isWeight(tensor));
  return {
    split: position,
    device: NONE,
    isReduced,
    length,
    computeNs: cluster.devices.map((_, d) =>
      rising(least.map((bytes, n) => (n === 0 ? 0 : costs.computeNs(d, type, (flops * n) / length, bytes)))),
    ),
    needs,
    makes: flow.operators[operator].makes.map((storage) =>
      isReduced
        ? wholeMade(scene.space(storage).size, length)
        : makeTable(made[outputs.findIndex((tensor) => tensor !== NONE && storageOf(tensor) === storage)]!),
    ),
    togetherBytes: togetherBytes(scene, operator, read),
    heldBytes: rising(allWeights.map((bytes, n) => bytes + activationBytes[n])),
    activationBytes,
    reducedBytes: isReduced ? 2 * madeBytes(scene, operator) : 0,
    weightBytes: rising(weightBytes((tensor) => scene.isOwnWeight(tensor))),
  };
}

/** Of a storage that is read more than once, its largest part; all of what is made. */
function togetherBytes(
  scene: BoundScene,
  operator: OperatorId,
  read: readonly (Follow | undefined)[],
): Bytes {
  const { graph, flow } = scene;
  const { inputs } = graph.operators[operator];
  const { reads } = flow.operators[operator];
  let bytes = madeBytes(scene, operator);
  for (const { storage } of reads) {
    const parts = read.map((part, i) =>
      part !== undefined && graph.tensors[inputs[i]].storage === storage
        ? scene.bytes(inputs[i], neededByAny(part))
        : 0,
    );
    bytes += Math.max(0, ...parts);
  }
  return bytes;
}

function madeBytes({ graph, flow }: BoundScene, operator: OperatorId): Bytes {
  return flow.operators[operator].makes.reduce(
    (sum, storage) => sum + (graph.storages[storage].bytes ?? 0),
    0,
  );
}

/** @param isCounted of the operator's weights */
function weightTable(
  scene: BoundScene,
  operator: OperatorId,
  read: readonly (Follow | undefined)[],
  length: number,
  isCounted: (tensor: TensorId) => boolean,
): Float64Array {
  const { inputs } = scene.graph.operators[operator];
  const bytes = new Float64Array(length + 1);
  new Set(inputs).forEach((tensor) => {
    const part = tensor === NONE ? undefined : read[inputs.indexOf(tensor)];
    if (part === undefined || !isCounted(tensor)) return;
    const { atEnd, inside } = part.least;
    for (let n = 1; n <= length; n++) bytes[n] += scene.bytes(tensor, Math.min(atEnd[n], inside[n]));
  });
  return bytes;
}

/** Storages count once, however often the operator reads them. */
function activationTable(
  scene: BoundScene,
  operator: OperatorId,
  length: number,
  needs: readonly NeedTable[],
  made: readonly (Follow | undefined)[],
): Float64Array {
  const { graph, flow } = scene;
  const bytes = new Float64Array(length + 1);
  const add = (tensor: TensorId, { atEnd, inside }: Pick<LeastNeeds, 'atEnd' | 'inside'>): void => {
    for (let n = 1; n <= length; n++) bytes[n] += scene.bytes(tensor, Math.min(atEnd[n], inside[n]));
  };
  flow.operators[operator].reads.forEach(({ storage }, read) =>
    add(graph.storages[storage].tensors[0], {
      atEnd: needs[read].atEnd,
      inside: needs[read].inside.needed,
    }),
  );
  graph.operators[operator].outputs.forEach((tensor, i) => {
    const part = made[i];
    if (part !== undefined) add(tensor, part.least);
  });
  return rising(bytes);
}
