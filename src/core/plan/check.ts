import type { Graph } from '../graph/graph';
import { NONE } from '../graph/units';
import type { PartitionRules } from '../partition/partition';
import { memoryCurves, peakBytes, peakSteps, regionHoldings, residentWeights } from './check/memory';
import { checkFacts } from './check/facts';
import { checkOrder } from './check/order';
import { replayPlan, type Replay } from './check/replay';
import { checkSynchronous } from './check/synchronous';
import { checkOverlapped, matchEvents, nanoseconds, outputsWhole, type Timeline } from './check/timeline';
import { expectedTransfers } from './check/transfers';
import { type Violation, Violations } from './check/violations';
import type { Plan } from './plan';

/** What a replay of a plan found. `seconds` and `devicePeakBytes` are the checker's own figures. */
export interface CheckReport {
  readonly valid: boolean;
  readonly violations: readonly Violation[];
  readonly seconds?: number;
  readonly devicePeakBytes?: readonly number[];
}

/**
 * Replays a plan on its graph (built with the plan's `fuse` and bindings) and lists every broken promise:
 * coverage of each axis, every element that a shard needs made or received on its device, dependencies, no
 * device or link used twice at once, message sizes, memory in time, latency, and the order's figures.
 *
 * Shares no code with the search; both rest on the partition rules, which are proven by execution.
 */
export function checkPlan(graph: Graph, rules: PartitionRules, plan: Plan): CheckReport {
  const violations = new Violations();
  const replay = replayPlan(graph, rules, plan, violations);
  if (replay === undefined) return { valid: false, violations: violations.all() };

  checkFacts(replay, rules, violations);
  checkOrder(graph, plan, replay.steps, violations);
  const synchronous = plan.latency.model === 'synchronous';
  const expected = expectedTransfers(replay, !synchronous, violations);
  const timeline = matchEvents(replay, expected, violations);
  const latency = synchronous ? checkSynchronous(replay, timeline, violations) : overlappedLatency();
  checkLatency(plan, latency, violations);
  const peaks = peakBytes(replay, timeline, synchronous);
  checkDevices(replay, timeline, peaks, violations);
  checkPeakSteps(plan, peakSteps(replay, timeline, synchronous), violations);
  return {
    valid: !violations.any,
    violations: violations.all(),
    seconds: latency / 1e9,
    devicePeakBytes: peaks,
  };

  function overlappedLatency(): number {
    checkOverlapped(replay!, timeline, violations);
    return outputsWhole(replay!, timeline);
  }
}

/** Bytes that a device holds from each moment on, `times` in seconds, ascending. */
export interface DeviceMemory {
  readonly times: Float64Array;
  readonly bytes: Float64Array;
}

/** One region on a device from the event that makes it there to the last one there that reads it, in seconds. */
export interface DeviceHolding {
  readonly device: number;
  /** Storage of the graph, `NONE` for the memory of an operator's body. */
  readonly storage: number;
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Memory over time of every device of a plan, for drawing; `undefined` where the plan does not fit the graph.
 * In `synchronous` a step's memory counts from the step's first event.
 */
export function deviceMemory(
  graph: Graph,
  rules: PartitionRules,
  plan: Plan,
): readonly DeviceMemory[] | undefined {
  const found = replayedTimeline(graph, rules, plan);
  if (found === undefined) return undefined;
  const { replay, timeline, synchronous, seconds } = found;
  return memoryCurves(replay, timeline, synchronous).map(({ at, bytes }) => ({
    times: Float64Array.from(at, seconds),
    bytes: Float64Array.from(bytes),
  }));
}

/** What `deviceMemory` is the sum of, besides base memory and weights; `undefined` as there. */
export function deviceHoldings(
  graph: Graph,
  rules: PartitionRules,
  plan: Plan,
): readonly DeviceHolding[] | undefined {
  const found = replayedTimeline(graph, rules, plan);
  if (found === undefined) return undefined;
  const { replay, timeline, synchronous, seconds } = found;
  return regionHoldings(replay, timeline, synchronous)
    .filter(({ from, to }) => to > from)
    .map((holding) => ({ ...holding, from: seconds(holding.from), to: seconds(holding.to) }));
}

interface ReplayedTimeline {
  readonly replay: Replay;
  readonly timeline: Timeline;
  readonly synchronous: boolean;
  /** Seconds of a moment of the memory's axis. */
  readonly seconds: (moment: number) => number;
}

function replayedTimeline(graph: Graph, rules: PartitionRules, plan: Plan): ReplayedTimeline | undefined {
  const violations = new Violations();
  const replay = replayPlan(graph, rules, plan, violations);
  if (replay === undefined) return undefined;
  const synchronous = plan.latency.model === 'synchronous';
  const expected = expectedTransfers(replay, !synchronous, violations);
  const timeline = matchEvents(replay, expected, violations);
  const starts = synchronous ? stepStarts(replay, timeline) : undefined;
  const seconds = (moment: number): number => (starts === undefined ? moment : starts[moment]) / 1e9;
  return { replay, timeline, synchronous, seconds };
}

/** First moment of each step in nanoseconds; the step behind the last is the gathering, then comes the end. */
function stepStarts({ stepOf, steps }: Replay, { shards, transfers, end }: Timeline): Float64Array {
  const starts = new Float64Array(steps.length + 2).fill(Infinity);
  starts[steps.length + 1] = end;
  for (const at of shards) starts[at.shard.step] = Math.min(starts[at.shard.step], at.start);
  for (const at of transfers) {
    const step = at.transfer.consumer === NONE ? steps.length : stepOf[at.transfer.consumer];
    starts[step] = Math.min(starts[step], at.start);
  }
  for (let step = steps.length; step >= 0; step--) starts[step] = Math.min(starts[step], starts[step + 1]);
  return starts;
}

function checkLatency(plan: Plan, latency: number, violations: Violations): void {
  const { seconds, lowerBoundSeconds } = plan.latency;
  if (nanoseconds(seconds) !== latency) {
    violations.add(
      'latency',
      `latency.seconds says ${seconds}, replaying the timeline gives ${latency / 1e9}.`,
    );
  }
  if (lowerBoundSeconds > seconds) {
    violations.add(
      'bound',
      `latency.lowerBoundSeconds ${lowerBoundSeconds} lies above the latency ${seconds}.`,
    );
  }
}

function checkDevices(
  replay: Replay,
  timeline: Timeline,
  peaks: readonly number[],
  violations: Violations,
): void {
  const { plan } = replay;
  const weights = residentWeights(replay);
  plan.cluster.devices.forEach((device, index) => {
    const entry = plan.devices.find((candidate) => candidate.name === device.name);
    if (entry === undefined) {
      violations.add('memory', `Device "${device.name}" is missing from the plan's devices.`);
      return;
    }
    if (peaks[index] > device.memory) {
      violations.add(
        'memory',
        `${device.name} needs ${peaks[index]} bytes at its peak, but has ${device.memory}.`,
      );
    }
    const claims: readonly [string, number, number][] = [
      ['limitBytes', entry.limitBytes, device.memory],
      ['peakBytes', entry.peakBytes, peaks[index]],
      ['weightBytes', entry.weightBytes, weights[index]],
      ['busySeconds', nanoseconds(entry.busySeconds), busyNanoseconds(timeline, index)],
    ];
    for (const [field, said, found] of claims) {
      if (said !== found)
        violations.add(
          'memory',
          `devices "${device.name}" ${field} says ${said}, the replay gives ${found}.`,
        );
    }
  });
}

function checkPeakSteps(plan: Plan, steps: readonly ReadonlySet<number>[], violations: Violations): void {
  plan.cluster.devices.forEach(({ name }, device) => {
    const said = plan.devices.find((candidate) => candidate.name === name)?.peakStep;
    if (said !== undefined && !steps[device].has(said))
      violations.add(
        'memory',
        `devices "${name}" peakStep says ${said}, its peak begins at step ${[...steps[device]].join(' or ')}.`,
      );
  });
}

function busyNanoseconds(timeline: Timeline, device: number): number {
  const shards = timeline.shards.filter((at) => at.shard.device === device);
  const reductions = timeline.reductions.filter((at) => at.device === device);
  return [...shards, ...reductions].reduce((sum, at) => sum + at.end - at.start, 0);
}
