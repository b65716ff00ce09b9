/**
 * What each device holds over the events of a timeline: every region from the start of the event that makes it
 * there (a shard, a reduction, or the message at the receiver) to the end of the last event there that reads any
 * of it (a shard, a reduction, or the message at the sender). Inputs are held by the source from the beginning,
 * outputs by the sink to the end. In the synchronous model a step with its messages is one event.
 */
import { NONE, type Bytes, type DeviceId, type OperatorId, type Step } from '../graph/units';
import { GATHER } from './flow';
import type { ComputeEvent, TimelineEvent, TransferEvent } from './timeline';
import type { Genome, Workload } from './workload';

interface Holding {
  readonly device: DeviceId;
  readonly bytes: Bytes;
  readonly from: number;
  readonly to: number;
  readonly step: Step;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

export class Holdings {
  private readonly list: Holding[] = [];
  /** `kind operator device` and `storage from to operator` -> event. */
  private readonly computed = new Map<string, Span>();
  private readonly stepOf: Step[];
  private readonly last: number;
  /** `storage * devices + sender` -> messages. */
  private readonly sent = new Map<number, TransferEvent[]>();

  constructor(
    private readonly workload: Workload,
    private readonly genome: Genome,
    events: readonly TimelineEvent[],
  ) {
    this.stepOf = new Array<Step>(workload.graph.operators.length);
    workload.order.forEach((operator, step) => (this.stepOf[operator] = step));
    this.last = this.isStepwise
      ? workload.order.length + 1
      : events.reduce((end, event) => Math.max(end, event.end), 0);
    for (const event of events) {
      if (event.kind !== 'transfer') {
        this.computed.set(`${event.kind} ${event.operator} ${event.device}`, this.span(event));
      }
    }
    for (const event of events) {
      if (event.kind !== 'transfer') continue;
      const sent = this.sentBy(event.storage, event.from);
      if (sent.length === 0)
        this.sent.set(event.storage * workload.cluster.devices.length + event.from, [event]);
      else sent.push(event);
    }
    this.addInputs();
    for (const event of events) {
      if (event.kind === 'transfer') this.addReceived(event);
      else this.addMade(event);
    }
  }

  /** Most bytes held at one instant, and the step of the event that starts then. */
  peak(device: DeviceId): { readonly bytes: Bytes; readonly step: Step } {
    const held = this.list.filter((holding) => holding.device === device);
    const changes = held.flatMap(({ bytes, from, to, step }) => [
      { at: from, bytes, step },
      { at: to, bytes: -bytes, step },
    ]);
    // Half-open: what ends at an instant is gone before what starts there comes.
    changes.sort((a, b) => a.at - b.at || Math.sign(a.bytes) - Math.sign(b.bytes));
    const peak = { bytes: 0, step: 0 };
    let sum = 0;
    for (const { bytes, step } of changes) {
      sum += bytes;
      if (sum > peak.bytes) Object.assign(peak, { bytes: sum, step });
    }
    return peak;
  }

  private sentBy(storage: number, device: DeviceId): TransferEvent[] {
    return this.sent.get(storage * this.workload.cluster.devices.length + device) ?? [];
  }

  private get isStepwise(): boolean {
    return this.workload.latencyModel === 'synchronous';
  }

  private stepOfEvent({ operator }: TimelineEvent): Step {
    return operator === NONE ? this.workload.order.length : this.stepOf[operator];
  }

  private span(event: TimelineEvent): Span {
    const step = this.stepOfEvent(event);
    return this.isStepwise ? { start: step, end: step + 1 } : event;
  }

  private addInputs(): void {
    const { graph, genes, cluster } = this.workload;
    for (const storage of graph.storages) {
      if (storage.producer !== NONE) continue;
      const { size } = genes.regions.space(storage.tensors[0]);
      const to = this.lastUse(storage.id, cluster.source, 0);
      this.list.push({
        device: cluster.source,
        bytes: genes.storageBytes(storage.id, size),
        from: 0,
        to,
        step: 0,
      });
    }
  }

  private addMade(event: ComputeEvent): void {
    const { graph, genes, flow } = this.workload;
    const { operator, device, kind } = event;
    const { start, end } = this.span(event);
    const step = this.stepOfEvent(event);
    const hold = (bytes: Bytes, to: number): void =>
      void this.list.push({ device, bytes, from: start, to, step });
    const gene = this.genome[operator]!;
    if (kind === 'compute' && graph.operators[operator].bodyPeak.bytes > 0) {
      hold(graph.operators[operator].bodyPeak.bytes, end);
    }
    if (kind === 'compute' && gene.reduction !== undefined) {
      if (device === gene.reduction.device) {
        hold(gene.reduction.partialBytes, this.computed.get(`reduce ${operator} ${device}`)!.end);
        return;
      }
      for (const storage of flow.operators[operator].makes) {
        for (const sent of this.sentBy(storage, device)) {
          if (sent.operator === operator) hold(sent.bytes, this.span(sent).end);
        }
      }
      return;
    }
    flow.operators[operator].makes.forEach((storage, made) => {
      const bytes = genes.storageBytes(storage, gene.makes[made][device].elements);
      hold(bytes, this.lastUse(storage, device, end));
    });
  }

  /** The end of the last event on `device` that reads what the device made of `storage` itself. */
  private lastUse(storage: number, device: DeviceId, made: number): number {
    const { flow, cluster, traffic } = this.workload;
    const { producer, readers, isOutput } = flow.storages[storage];
    if (isOutput && device === cluster.sink) return this.last;
    const local = traffic.traffic(storage, this.genome).lastLocalReader[device];
    let last = local === NONE ? made : Math.max(made, this.readerEnd(readers[local], device));
    for (const sent of this.sentBy(storage, device)) {
      if (producer === NONE || sent.operator !== producer) last = Math.max(last, this.span(sent).end);
    }
    return last;
  }

  private addReceived(event: TransferEvent): void {
    const { flow, cluster, traffic } = this.workload;
    const { storage, operator, from, to: device, bytes } = event;
    const { start } = this.span(event);
    const step = this.stepOfEvent(event);
    const { producer, readers, isOutput } = flow.storages[storage];
    let to = this.last;
    const staysOnSink = isOutput && device === cluster.sink && (!this.isStepwise || operator === NONE);
    if (operator !== NONE && operator === producer) {
      to = this.computed.get(`reduce ${operator} ${device}`)!.end;
    } else if (!staysOnSink) {
      const found = traffic.traffic(storage, this.genome);
      const reader = readers.indexOf(operator === NONE ? GATHER : operator);
      for (let m = found.first[reader]; m < found.first[reader + 1]; m++) {
        const message = found.messages[m];
        if (message.from === from && message.to === device)
          to = this.readerEnd(readers[message.lastReader], device);
      }
    }
    this.list.push({ device, bytes, from: start, to, step });
  }

  private readerEnd(reader: OperatorId, device: DeviceId): number {
    return reader === GATHER ? this.last : this.computed.get(`compute ${reader} ${device}`)!.end;
  }
}
