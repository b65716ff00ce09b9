/**
 * The timeline of a plan, written for reading: the reference that the fast `Evaluator` must agree with.
 *
 * `overlapped`: operators in order; for each, its messages in order of when their elements are ready (equal: the
 * receiver that computes longest first, then the order of inputs, receivers and senders), each as soon as both
 * of its links are free; then its shards, each as soon as its device is free and its messages are there.
 * `synchronous`: per operator one phase for each of its inputs, then the slowest shard, then a barrier.
 */
import {
  NONE,
  type Bytes,
  type DeviceId,
  type Nanoseconds,
  type OperatorId,
  type StorageId,
} from '../graph/units';
import type { CompiledGene, Reduction } from './compiledGene';
import { Holdings } from './holdings';
import type { ComputeEvent, DeviceLoad, Timeline, TimelineEvent } from './timeline';
import { residentWeights } from './weights';
import type { Genome, Workload } from './workload';

export function simulate(workload: Workload, genome: Genome): Timeline {
  const simulation =
    workload.latencyModel === 'overlapped'
      ? new Overlapped(workload, genome)
      : new Synchronous(workload, genome);
  const events = simulation.run();
  const latencyNs = simulation.latency(events);
  return {
    latencyNs,
    events: [...events].sort((a, b) => a.start - b.start || a.end - b.end),
    devices: loads(workload, genome, events),
  };
}

/** A message that is to be scheduled. */
interface Pending {
  readonly storage: StorageId;
  readonly operator: OperatorId;
  readonly from: DeviceId;
  readonly to: DeviceId;
  readonly bytes: Bytes;
  readonly ns: Nanoseconds;
  readonly ready: Nanoseconds;
}

abstract class Simulation {
  protected readonly events: TimelineEvent[] = [];
  /** `storage * devices + device` -> end of the event that made the storage's region there. */
  protected readonly madeEnd: Float64Array;
  protected readonly devices: number;

  constructor(
    protected readonly workload: Workload,
    protected readonly genome: Genome,
  ) {
    this.devices = workload.cluster.devices.length;
    this.madeEnd = new Float64Array(workload.graph.storages.length * this.devices);
  }

  run(): TimelineEvent[] {
    for (const operator of this.workload.flow.steps) this.step(operator, this.genome[operator]!);
    this.gather();
    return this.events;
  }

  abstract latency(events: readonly TimelineEvent[]): Nanoseconds;
  protected abstract step(operator: OperatorId, gene: CompiledGene): void;
  protected abstract gather(): void;

  protected messagesTo(operator: OperatorId, storage: StorageId, reader: number): Pending[] {
    const traffic = this.workload.traffic.traffic(storage, this.genome);
    const pending: Pending[] = [];
    for (let m = traffic.first[reader]; m < traffic.first[reader + 1]; m++) {
      const { from, to, bytes, ns } = traffic.messages[m];
      pending.push({
        storage,
        operator,
        from,
        to,
        bytes,
        ns,
        ready: this.madeEnd[storage * this.devices + from],
      });
    }
    return pending;
  }

  protected partials(
    operator: OperatorId,
    { messages, device }: Reduction,
    ready: (from: DeviceId) => Nanoseconds,
  ): Pending[] {
    const { makes } = this.workload.flow.operators[operator];
    return messages.map(({ made, from, bytes, ns }) => ({
      storage: makes[made],
      operator,
      from,
      to: device,
      bytes,
      ns,
      ready: ready(from),
    }));
  }

  protected compute(
    kind: ComputeEvent['kind'],
    operator: OperatorId,
    device: DeviceId,
    start: Nanoseconds,
    ns: Nanoseconds,
  ): Nanoseconds {
    const end = start + ns;
    this.events.push({ kind, operator, device, start, end });
    for (const storage of this.workload.flow.operators[operator].makes)
      this.madeEnd[storage * this.devices + device] = end;
    return end;
  }

  protected transfer({ storage, operator, from, to, bytes, ns }: Pending, start: Nanoseconds): Nanoseconds {
    const end = start + ns;
    this.events.push({ kind: 'transfer', storage, operator, from, to, bytes, start, end });
    return end;
  }
}

class Overlapped extends Simulation {
  private readonly deviceFree = new Float64Array(this.devices);
  private readonly upFree = new Float64Array(this.devices);
  private readonly downFree = new Float64Array(this.devices);

  protected step(operator: OperatorId, gene: CompiledGene): void {
    const { reads } = this.workload.flow.operators[operator];
    const pending = reads.flatMap(({ storage, reader }) => this.messagesTo(operator, storage, reader));
    pending.sort((a, b) => a.ready - b.ready || gene.computeNs[b.to] - gene.computeNs[a.to]);
    const arrived = this.send(pending);
    for (const device of gene.devices) {
      const start = Math.max(this.deviceFree[device], arrived[device]);
      this.deviceFree[device] = this.compute('compute', operator, device, start, gene.computeNs[device]);
    }
    if (gene.reduction !== undefined) this.reduce(operator, gene.reduction);
  }

  private reduce(operator: OperatorId, reduction: Reduction): void {
    const { device, ns } = reduction;
    const pending = this.partials(operator, reduction, (from) => this.deviceFree[from]);
    pending.sort((a, b) => a.ready - b.ready);
    const arrived = this.send(pending);
    const start = Math.max(this.deviceFree[device], arrived[device]);
    this.deviceFree[device] = this.compute('reduce', operator, device, start, ns);
  }

  protected gather(): void {
    const { flow } = this.workload;
    const pending = flow.outputs.flatMap((storage) =>
      this.messagesTo(NONE, storage, flow.storages[storage].readers.length - 1),
    );
    pending.sort((a, b) => a.ready - b.ready);
    this.send(pending);
  }

  /** Sends in the given order. Returns per device when the last message to it has arrived. */
  private send(pending: readonly Pending[]): Float64Array {
    const isShared = this.workload.cluster.network.kind === 'shared';
    const arrived = new Float64Array(this.devices);
    for (const message of pending) {
      const { from, to, ready } = message;
      const up = isShared ? 0 : from;
      const down = isShared ? 0 : to;
      const end = this.transfer(message, Math.max(ready, this.upFree[up], this.downFree[down]));
      this.upFree[up] = this.downFree[down] = end;
      arrived[to] = Math.max(arrived[to], end);
    }
    return arrived;
  }

  latency(events: readonly TimelineEvent[]): Nanoseconds {
    const { graph, cluster, flow } = this.workload;
    let latest = 0;
    for (const event of events) {
      const isOnSink = (event.kind === 'transfer' ? event.to : event.device) === cluster.sink;
      if (!isOnSink) continue;
      const made = event.kind === 'transfer' ? [event.storage] : flow.operators[event.operator].makes;
      if (made.some((storage) => graph.storages[storage].isOutput)) latest = Math.max(latest, event.end);
    }
    return latest;
  }
}

class Synchronous extends Simulation {
  private now = 0;

  protected step(operator: OperatorId, gene: CompiledGene): void {
    for (const { storage, reader } of this.workload.flow.operators[operator].reads) {
      this.phase(operator, storage, reader);
    }
    for (const device of gene.devices)
      this.compute('compute', operator, device, this.now, gene.computeNs[device]);
    this.now += Math.max(...gene.computeNs);
    if (gene.reduction === undefined) return;
    const { reduction } = gene;
    for (const message of this.partials(operator, reduction, () => this.now))
      this.transfer(message, this.now);
    this.now += reduction.phaseNs;
    this.now = this.compute('reduce', operator, reduction.device, this.now, reduction.ns);
  }

  protected gather(): void {
    const { flow } = this.workload;
    for (const storage of flow.outputs) this.phase(NONE, storage, flow.storages[storage].readers.length - 1);
  }

  private phase(operator: OperatorId, storage: StorageId, reader: number): void {
    for (const message of this.messagesTo(operator, storage, reader)) this.transfer(message, this.now);
    this.now += this.workload.traffic.traffic(storage, this.genome).phaseNs[reader];
  }

  latency(): Nanoseconds {
    return this.now;
  }
}

function loads(workload: Workload, genome: Genome, events: readonly TimelineEvent[]): DeviceLoad[] {
  const weights = residentWeights(workload, genome);
  const holdings = new Holdings(workload, genome, events);
  return workload.cluster.devices.map(({ baseMemory }, device) => {
    const busy = events.filter(
      (event): event is ComputeEvent => event.kind !== 'transfer' && event.device === device,
    );
    const { bytes, step } = holdings.peak(device);
    return {
      peakBytes: baseMemory + weights[device] + bytes,
      peakStep: step,
      weightBytes: weights[device],
      busyNs: busy.reduce((sum, { start, end }) => sum + end - start, 0),
    };
  });
}
