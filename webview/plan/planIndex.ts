import type { ViewGraph, ViewPlan } from '../../src/protocol/webview';

type Plan = ViewPlan['plan'];
export type PlanOperator = Plan['operators'][number];
export type PlanEvent = Plan['timeline'][number];
export type Transfer = Extract<PlanEvent, { kind: 'transfer' }>;

/** One device's part of an operator, with its share of the axis as a fraction. */
export interface Share {
  readonly device: number;
  readonly start: number;
  readonly end: number;
  readonly fraction: number;
  /** Fraction of the axis computed beyond what it owns, before and after. */
  readonly before: number;
  readonly after: number;
}

/** The plan, looked up by the ids of the view graph. */
export class PlanIndex {
  readonly plan: Plan;
  readonly deviceNames: readonly string[];
  readonly stepCount: number;
  private readonly device: ReadonlyMap<string, number>;
  private readonly byNode = new Map<number, number>();
  private readonly stepByOperator: Int32Array;
  private readonly eventsByOperator: PlanEvent[][];
  private readonly transfersByTensor = new Map<string, Transfer[]>();
  private readonly shareCache = new Map<number, readonly Share[]>();

  constructor(
    readonly view: ViewPlan,
    graph: ViewGraph,
  ) {
    this.plan = view.plan;
    this.deviceNames = view.plan.cluster.devices.map(({ name }) => name);
    this.device = new Map(this.deviceNames.map((name, i) => [name, i]));
    this.stepCount = view.memory.operators.length;
    this.stepByOperator = new Int32Array(graph.operators.types.length).fill(-1);
    view.memory.operators.forEach((op, step) => (this.stepByOperator[op] = step));
    graph.operators.nodes.forEach((node, op) => this.byNode.set(node, op));
    this.eventsByOperator = Array.from(graph.operators.types, () => []);
    for (const event of view.plan.timeline) this.file(event);
  }

  private file(event: PlanEvent): void {
    const op = event.operator === null ? undefined : this.byNode.get(event.operator);
    if (op !== undefined) this.eventsByOperator[op].push(event);
    if (event.kind !== 'transfer') return;
    const known = this.transfersByTensor.get(event.tensor);
    if (known) known.push(event);
    else this.transfersByTensor.set(event.tensor, [event]);
  }

  deviceIndex(name: string): number {
    return this.device.get(name) ?? -1;
  }

  /** Operator of the view graph for an index in `graph.node`, or -1. */
  operatorOf(node: number | null): number {
    return node === null ? -1 : (this.byNode.get(node) ?? -1);
  }

  stepOf(op: number): number {
    return this.stepByOperator[op] ?? -1;
  }

  operator(op: number): PlanOperator | undefined {
    return this.plan.operators[this.view.planOperators[op]];
  }

  /** Compute, reduce and incoming transfer events of an operator. */
  events(op: number): readonly PlanEvent[] {
    return this.eventsByOperator[op] ?? [];
  }

  transfers(tensorName: string): readonly Transfer[] {
    return this.transfersByTensor.get(tensorName) ?? [];
  }

  /** Along the axis, in whatever order the plan lists them. */
  shares(op: number): readonly Share[] {
    const known = this.shareCache.get(op);
    if (known) return known;
    const shards = this.operator(op)?.partition.shards ?? [];
    const length = shards.reduce((most, shard) => Math.max(most, shard.end), 0) || 1;
    const shares = shards
      .filter((shard) => shard.end > shard.start)
      .sort((a, b) => a.start - b.start)
      .map((shard) => ({
        device: this.deviceIndex(shard.device),
        start: shard.start,
        end: shard.end,
        fraction: (shard.end - shard.start) / length,
        before: Math.max(0, shard.start - (shard.computeStart ?? shard.start)) / length,
        after: Math.max(0, (shard.computeEnd ?? shard.end) - shard.end) / length,
      }));
    this.shareCache.set(op, shares);
    return shares;
  }

  /** Device with the largest share, or -1. */
  mainDevice(op: number): number {
    return (
      this.shares(op).reduce(
        (best, s) => (best === null || s.fraction > best.fraction ? s : best),
        null as Share | null,
      )?.device ?? -1
    );
  }

  isSplit(op: number): boolean {
    return this.shares(op).length > 1;
  }

  /** Weights of a split by rows or columns stand whole on every device that takes part. */
  copiesOfWeights(op: number): number {
    const found = this.operator(op);
    if (found === undefined || found.weightBytes === 0) return 1;
    const { dimension } = found.partition;
    return dimension === 'H' || dimension === 'W' ? Math.max(1, this.shares(op).length) : 1;
  }

  /** From the first start to the last end of what runs for the steps `[from, to)`; `null` where nothing does. */
  spanOf(from: number, to: number): { readonly from: number; readonly to: number } | null {
    let [first, last] = [Infinity, -Infinity];
    for (let step = from; step < to; step++) {
      for (const event of this.events(this.view.memory.operators[step])) {
        first = Math.min(first, event.start);
        last = Math.max(last, event.end);
      }
    }
    return last < first ? null : { from: first, to: last };
  }

  /** Steps that run within a part of the time (seconds), half-open; `null` where nothing runs. */
  stepsWithin(from: number, to: number): { readonly from: number; readonly to: number } | null {
    let [first, last] = [Infinity, -Infinity];
    for (const event of this.plan.timeline) {
      if (event.start >= to || event.end <= from || event.operator === null) continue;
      const step = this.stepOf(this.operatorOf(event.operator));
      first = Math.min(first, step);
      last = Math.max(last, step);
    }
    return last < first ? null : { from: first, to: last + 1 };
  }

  /** Seconds of the operator's longest part. */
  computeSeconds(op: number): number {
    let longest = 0;
    for (const event of this.events(op)) {
      if (event.kind !== 'transfer') longest = Math.max(longest, event.end - event.start);
    }
    return longest;
  }

  usesDevice(op: number, device: number): boolean {
    return this.shares(op).some((share) => share.device === device);
  }
}
