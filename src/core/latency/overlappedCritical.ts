import { NONE, type DeviceId } from '../graph/units';
import type { OverlappedKernel } from './overlappedKernel';

/** Finds the chain of shards and messages that the latency of the plan at hand waits for. */
export class OverlappedCritical {
  constructor(private readonly kernel: OverlappedKernel) {}

  /** The steps on the chain, from the last to the first; some twice. */
  steps(): number[] {
    const { kernel } = this;
    const { steps, state, stateSize, devices, slots } = kernel;
    const latency = state[(steps + 1) * stateSize + 3 * devices];
    const found: number[] = [];
    for (let step = steps; step >= 0; step--) {
      for (let m = slots.first[step]; m < slots.end[step]; m++) {
        if (slots.isOutput[m] === 0 || slots.keptFinish[m] !== latency) continue;
        this.followMessage(step, m, found);
        return found;
      }
      if (step === steps || kernel.makesOutput[step] === 0) continue;
      if (this.madeEnd(step, kernel.sink) !== latency) continue;
      this.followShard(step, kernel.sink, found);
      return found;
    }
    return found;
  }

  private madeEnd(step: number, device: DeviceId): number {
    const { events, eventSize, devices } = this.kernel;
    return events[step * eventSize + 2 * devices + device];
  }

  /** From what `device` did at `step` back to the beginning. */
  private followShard(lastStep: number, lastDevice: DeviceId, found: number[]): void {
    const { kernel } = this;
    const { state, stateSize, events, eventSize, devices, slots } = kernel;
    let step = lastStep;
    let device = lastDevice;
    while (step !== NONE) {
      found.push(step);
      const line = step * eventSize;
      const isReduced = kernel.reduceOn[step] === device;
      const start = isReduced ? events[line + 3 * devices] : events[line + device];
      const begin = isReduced ? slots.inboxEnd[step] : slots.first[step];
      const end = isReduced ? slots.end[step] : slots.inboxEnd[step];
      const own = isReduced ? events[line + devices + device] : state[step * stateSize + device];
      if (start === own) {
        step = this.beforeShard(step, device);
        continue;
      }
      const message = this.lastTo(device, begin, end, start);
      if (message === NONE) return;
      [step, device] = this.senderOf(step, message, found);
    }
  }

  private followMessage(step: number, message: number, found: number[]): void {
    const [from, device] = this.senderOf(step, message, found);
    this.followShard(from, device, found);
  }

  /** The step before in which the device did something. */
  private beforeShard(step: number, device: DeviceId): number {
    const { genes, reduceOn } = this.kernel;
    let before = step - 1;
    while (before >= 0 && genes[before].hasPart[device] === 0 && reduceOn[before] !== device) before--;
    return before;
  }

  private lastTo(device: DeviceId, begin: number, end: number, time: number): number {
    const { to, keptFinish } = this.kernel.slots;
    for (let m = begin; m < end; m++) if (to[m] === device && keptFinish[m] === time) return m;
    return NONE;
  }

  /** Back over messages that wait for each other's links to the operator that made what the first one carries. */
  private senderOf(step: number, message: number, found: number[]): [step: number, device: DeviceId] {
    const { slots, events, eventSize, steps } = this.kernel;
    let at = step;
    let m = message;
    while (events[slots.readyAt[m]] !== slots.keptStart[m]) {
      const before = this.blocking(at, m);
      if (before === undefined) return [NONE, NONE];
      [at, m] = before;
      if (at < steps) found.push(at);
    }
    const maker = Math.floor(slots.readyAt[m] / eventSize);
    return [maker === steps ? NONE : maker, slots.from[m]];
  }

  /** The message on one of its links that ended when this one started. */
  private blocking(step: number, message: number): [step: number, message: number] | undefined {
    const { slots, isShared } = this.kernel;
    const time = slots.keptStart[message];
    for (let at = step; at >= 0; at--) {
      for (let m = slots.first[at]; m < slots.end[at]; m++) {
        const isOnLink =
          isShared || slots.from[m] === slots.from[message] || slots.to[m] === slots.to[message];
        if (isOnLink && m !== message && slots.keptFinish[m] === time) return [at, m];
      }
    }
    return undefined;
  }
}
