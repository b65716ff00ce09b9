import type { Operator } from '../../graph/graph';
import { NONE } from '../../graph/units';
import type { PlanEvent } from '../plan';
import {
  describeOperator,
  type Replay,
  type ReplayShard,
  storageBytes,
  storageElements,
  storageName,
} from './replay';
import { boxElements } from './runs';
import { tensorBytes } from '../../graph/elementType';
import type { ExpectedTransfer } from './transfers';
import type { Violations } from './violations';

/** Start and end in whole nanoseconds. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

export interface TransferAt extends Interval {
  readonly transfer: ExpectedTransfer;
}

export interface ShardAt extends Interval {
  readonly shard: ReplayShard;
}

export interface ReduceAt extends Interval {
  readonly operator: Operator;
  readonly device: number;
}

/** The plan's timeline with each event laid over what it stands for. */
export interface Timeline {
  readonly shards: readonly ShardAt[];
  readonly transfers: readonly TransferAt[];
  readonly reductions: readonly ReduceAt[];
  readonly end: number;
}

const NANOSECONDS = 1e9;

export function nanoseconds(seconds: number): number {
  return Math.round(seconds * NANOSECONDS);
}

/** `duration` must be the seconds rounded up to whole nanoseconds; one more or less is floating point's. */
function isDuration(duration: number, seconds: number): boolean {
  return Math.abs(duration - Math.ceil(seconds * NANOSECONDS)) <= 1;
}

export function computeSeconds(replay: Replay, shard: ReplayShard): number {
  const device = replay.plan.cluster.devices[shard.device];
  const speed = device.compute * (device.efficiency?.[shard.operator.type] ?? 1);
  const traffic =
    device.memoryBandwidth === undefined ? 0 : touchedBytes(replay, shard) / device.memoryBandwidth;
  return device.operatorOverhead + Math.max(shard.work.flops / speed, traffic);
}

function touchedBytes(replay: Replay, { operator, work }: ReplayShard): number {
  const sum = (tensors: readonly number[], boxes: readonly (readonly number[] | undefined)[]): number =>
    tensors.reduce(
      (total, id, position) => total + (id === NONE ? 0 : boxBytes(replay, id, boxes[position])),
      0,
    );
  return sum(operator.inputs, work.inputs) + sum(operator.outputs, work.outputs);
}

export function boxBytes(replay: Replay, tensorId: number, box: readonly number[] | undefined): number {
  const { type, shape } = replay.graph.tensors[tensorId];
  if (box === undefined || type === undefined || shape === undefined) return 0;
  return tensorBytes(type, boxElements(box)) ?? 0;
}

export function reduceSeconds(replay: Replay, operator: Operator, device: number): number {
  const { operatorOverhead, compute, efficiency, memoryBandwidth } = replay.plan.cluster.devices[device];
  const storage = replay.graph.tensors[operator.outputs[0]].storage;
  const parts = replay.shards[operator.id].length;
  const flops = parts * storageElements(replay.graph, storage);
  const bytes = (parts + 1) * storageBytes(replay.graph, storage, storageElements(replay.graph, storage));
  const traffic = memoryBandwidth === undefined ? 0 : bytes / memoryBandwidth;
  return operatorOverhead + Math.max(flops / (compute * (efficiency?.[operator.type] ?? 1)), traffic);
}

export function messageSeconds(replay: Replay, from: number, to: number, bytes: number): number {
  const { network } = replay.plan.cluster;
  const link = network.links.find((l) => l.from === replay.devices[from] && l.to === replay.devices[to]);
  return (link?.latency ?? network.latency) + bytes / (link?.bandwidth ?? network.bandwidth);
}

/**
 * Lays the plan's events over the expected shards, messages and reductions: each must be there once, with the
 * right duration and the right bytes, and nothing else.
 */
export function matchEvents(
  replay: Replay,
  expected: readonly ExpectedTransfer[],
  violations: Violations,
): Timeline {
  const { graph, devices, plan } = replay;
  const events = new Map<string, PlanEvent[]>();
  for (const event of plan.timeline) {
    const key =
      event.kind === 'transfer'
        ? `transfer|${event.tensor}|${event.from}|${event.to}|${event.operator ?? ''}`
        : `${event.kind}|${event.operator}|${event.device}`;
    events.set(key, [...(events.get(key) ?? []), event]);
  }
  const take = (key: string, what: string): (PlanEvent & Interval) | undefined => {
    const event = events.get(key)?.shift();
    if (event === undefined) {
      violations.add('timeline', `${what} is missing from the timeline.`);
      return undefined;
    }
    return { ...event, start: nanoseconds(event.start), end: nanoseconds(event.end) };
  };
  const shards = replay.shards.flat().flatMap((shard): ShardAt[] => {
    const what = `${describeOperator(shard.operator)} on ${devices[shard.device]}`;
    const event = take(`compute|${shard.operator.index}|${devices[shard.device]}`, what);
    if (event && !isDuration(event.end - event.start, computeSeconds(replay, shard))) {
      violations.add(
        'timeline',
        `${what} takes ${event.end - event.start} ns, the cost model says ${Math.ceil(computeSeconds(replay, shard) * NANOSECONDS)}.`,
      );
    }
    return event ? [{ shard, start: event.start, end: event.end }] : [];
  });
  const reductions = graph.operators.flatMap((operator): ReduceAt[] => {
    const device = replay.reduceOn[operator.id];
    if (device === NONE || replay.shards[operator.id].length < 2) return [];
    const what = `The reduction of ${describeOperator(operator)}`;
    const event = take(`reduce|${operator.index}|${devices[device]}`, what);
    if (event && !isDuration(event.end - event.start, reduceSeconds(replay, operator, device))) {
      violations.add(
        'timeline',
        `${what} takes ${event.end - event.start} ns, the cost model says ${Math.ceil(reduceSeconds(replay, operator, device) * NANOSECONDS)}.`,
      );
    }
    return event ? [{ operator, device, start: event.start, end: event.end }] : [];
  });
  const transfers = expected.flatMap((transfer): TransferAt[] => {
    const name = storageName(graph, transfer.storage);
    const consumer = transfer.consumer === NONE ? '' : graph.operators[transfer.consumer].index;
    const what = `The message of "${name}" from ${devices[transfer.from]} to ${devices[transfer.to]}${consumer === '' ? '' : ` for operator ${consumer}`}`;
    const event = take(
      `transfer|${name}|${devices[transfer.from]}|${devices[transfer.to]}|${consumer}`,
      what,
    );
    if (event?.kind !== 'transfer') return [];
    if (event.bytes !== transfer.bytes)
      violations.add('transfer', `${what} carries ${event.bytes} bytes, but ${transfer.bytes} are lacking.`);
    if (
      !isDuration(event.end - event.start, messageSeconds(replay, transfer.from, transfer.to, transfer.bytes))
    ) {
      violations.add(
        'timeline',
        `${what} takes ${event.end - event.start} ns, which is not latency plus bytes over bandwidth.`,
      );
    }
    return [{ transfer, start: event.start, end: event.end }];
  });
  for (const [key, left] of events) {
    if (left.length > 0)
      violations.add(
        'timeline',
        `The timeline has ${left.length} event(s) that the plan does not need: ${key.replaceAll('|', ' ')}.`,
      );
  }
  const end = plan.timeline.reduce((latest, event) => Math.max(latest, nanoseconds(event.end)), 0);
  return { shards, transfers, reductions, end };
}

/** No device or link used twice at once, shards in step order, and nothing starts before what it needs is there. */
export function checkOverlapped(replay: Replay, timeline: Timeline, violations: Violations): void {
  checkDevices(replay, timeline, violations);
  checkLinks(replay, timeline, violations);
  checkDependencies(replay, timeline, violations);
}

function checkDevices(replay: Replay, { shards, reductions }: Timeline, violations: Violations): void {
  for (let device = 0; device < replay.devices.length; device++) {
    const events = [
      ...shards
        .filter((at) => at.shard.device === device)
        .map((at) => ({ ...at, step: at.shard.step, phase: 0 })),
      ...reductions
        .filter((at) => at.device === device)
        .map((at) => ({ ...at, step: replay.stepOf[at.operator.id], phase: 1 })),
    ].sort((a, b) => a.step - b.step || a.phase - b.phase);
    for (let i = 1; i < events.length; i++) {
      if (events[i].start < events[i - 1].end) {
        violations.add(
          'timeline',
          `${replay.devices[device]} starts step ${events[i].step} before step ${events[i - 1].step} has ended.`,
        );
      }
    }
  }
}

function checkLinks(replay: Replay, { transfers }: Timeline, violations: Violations): void {
  const exclusive = (events: readonly Interval[], what: string): void => {
    const sorted = [...events].sort((a, b) => a.start - b.start || a.end - b.end);
    for (let i = 1; i < sorted.length; i++) {
      if (sorted[i].start < sorted[i - 1].end)
        violations.add('timeline', `Two messages overlap on ${what} at ${sorted[i].start} ns.`);
    }
  };
  if (replay.plan.cluster.network.kind === 'shared') {
    exclusive(transfers, 'the shared medium');
    return;
  }
  replay.devices.forEach((name, device) => {
    exclusive(
      transfers.filter((at) => at.transfer.from === device),
      `${name}'s uplink`,
    );
    exclusive(
      transfers.filter((at) => at.transfer.to === device),
      `${name}'s downlink`,
    );
  });
}

function checkDependencies(
  replay: Replay,
  { shards, transfers, reductions }: Timeline,
  violations: Violations,
): void {
  const { graph, devices, reduceOn } = replay;
  const key = (operator: number, device: number): number => operator * devices.length + device;
  const computed = new Map(shards.map((at) => [key(at.shard.operator.id, at.shard.device), at]));
  const reduced = new Map(reductions.map((at) => [at.operator.id, at]));
  for (const { transfer, start, end } of transfers) {
    const producer = graph.storages[transfer.storage].producer;
    if (producer !== NONE) {
      const maker =
        transfer.isPartial || !reduced.has(producer)
          ? computed.get(key(producer, transfer.from))
          : reduced.get(producer);
      if (maker === undefined || start < maker.end) {
        violations.add(
          'timeline',
          `A message of "${storageName(graph, transfer.storage)}" leaves ${devices[transfer.from]} before it is made there.`,
        );
      }
    }
    if (transfer.consumer === NONE) continue;
    const reader = transfer.isPartial
      ? reduced.get(transfer.consumer)
      : computed.get(key(transfer.consumer, transfer.to));
    if (reader !== undefined && reader.start < end) {
      violations.add(
        'timeline',
        `${describeOperator(graph.operators[transfer.consumer])} starts on ${devices[transfer.to]} before "${storageName(graph, transfer.storage)}" has arrived.`,
      );
    }
  }
  for (const { shard, start } of shards) {
    for (const storage of shard.needs.keys()) {
      const producer = graph.storages[storage].producer;
      const local =
        producer === NONE
          ? undefined
          : reduceOn[producer] === shard.device
            ? reduced.get(producer)
            : computed.get(key(producer, shard.device));
      if (local !== undefined && start < local.end) {
        violations.add(
          'timeline',
          `${describeOperator(shard.operator)} starts on ${devices[shard.device]} before its input is made there.`,
        );
      }
    }
  }
  for (const { operator, device, start } of reductions) {
    const own = computed.get(key(operator.id, device));
    if (own !== undefined && start < own.end)
      violations.add(
        'timeline',
        `The reduction of ${describeOperator(operator)} starts before its own part has ended.`,
      );
  }
}

/** When the last element of the last output is on the sink, in nanoseconds. */
export function outputsWhole(replay: Replay, timeline: Timeline): number {
  const { graph, sink } = replay;
  let latest = 0;
  for (const { transfer, end } of timeline.transfers) {
    if (transfer.to === sink && !transfer.isPartial && graph.storages[transfer.storage].isOutput)
      latest = Math.max(latest, end);
  }
  for (const { shard, end } of timeline.shards) {
    const makesOutput = [...shard.makes.keys()].some((storage) => graph.storages[storage].isOutput);
    if (shard.device === sink && makesOutput) latest = Math.max(latest, end);
  }
  for (const { operator, device, end } of timeline.reductions) {
    const isOutput = operator.outputs.some(
      (id) => id !== NONE && graph.storages[graph.tensors[id].storage].isOutput,
    );
    if (device === sink && isOutput) latest = Math.max(latest, end);
  }
  return latest;
}
