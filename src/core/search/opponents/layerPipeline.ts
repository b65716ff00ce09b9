/**
 * Vertical partition: contiguous runs of the order on one device after another, each device at most once (layer
 * pipelines as in PipeDream and DEFER), by exact dynamic programming over (step, devices used, last device). A
 * run must fit its device: its weights plus the most activations live in it. One request has nothing to
 * pipeline, so a run costs the sum of its shards' times and of the messages that it waits for. In very large models
 * runs are cut at some hundred narrow places only.
 */
import { NONE, type Bytes, type DeviceId } from '../../graph/units';
import { GATHER } from '../../latency/flow';
import { wholeGene, type Gene } from '../../latency/gene';
import type { Workload } from '../../latency/workload';
import { crossingBytes } from '../crossingBytes';

/** In larger models runs begin at so many places at most. */
const MOST_STEPS = 2_000;
const MOST_PLACES = 400;
/** Beyond so many devices runs follow the devices from the fastest down, each or none. */
const MOST_DEVICES_FOR_SETS = 6;

interface Run {
  readonly end: number;
  readonly cost: number;
  readonly device: DeviceId;
  readonly next: number;
}

/** Genes in step order; `undefined` where no sequence of runs fits the devices. */
export function layerPipeline(workload: Workload): Gene[] | undefined {
  const { cluster, flow } = workload;
  const devices = cluster.devices.length;
  const ranked = cluster.devices
    .map((_, device) => device)
    .sort((a, b) => cluster.devices[b].compute - cluster.devices[a].compute || a - b);
  const isFree = devices <= MOST_DEVICES_FOR_SETS;
  const fits = new RunCosts(workload);
  const states = isFree ? 1 << devices : devices + 1;
  const steps = flow.steps.length;
  const places = placesToCut(workload);
  const best: (Run | undefined)[][] = Array.from({ length: steps + 1 }, () => new Array<undefined>(states));
  /** Devices that may run next, and the state after each. */
  const choices = (state: number): [DeviceId, number][] =>
    isFree
      ? ranked
          .filter((device) => (state & (1 << device)) === 0)
          .map((device) => [device, state | (1 << device)])
      : ranked.slice(state).map((device, skipped) => [device, state + skipped + 1]);
  const costFrom = (step: number, state: number): number =>
    step === steps ? 0 : (best[step][state]?.cost ?? Infinity);
  for (let place = places.length - 2; place >= 0; place--) {
    const start = places[place];
    const runs = cluster.devices.map((_, device) => fits.from(start, device));
    for (let state = 0; state < states; state++) {
      for (const [device, next] of choices(state)) {
        for (let to = place + 1; to < places.length && places[to] - start <= runs[device].length; to++) {
          const end = places[to];
          const cost = runs[device][end - start - 1] + costFrom(end, next);
          if (cost < (best[start][state]?.cost ?? Infinity)) best[start][state] = { end, cost, device, next };
        }
      }
    }
  }
  return follow(best, steps, devices);
}

/** Steps at which a run may begin, and behind the last: in large models where the fewest bytes cross, evenly spread. */
function placesToCut(workload: Workload): number[] {
  const steps = workload.flow.steps.length;
  if (steps <= MOST_STEPS) return Array.from({ length: steps + 1 }, (_, step) => step);
  const crossing = crossingBytes(workload);
  const places = [0];
  for (let window = 1; window < MOST_PLACES; window++) {
    const end = Math.floor(((window + 1) * steps) / MOST_PLACES);
    let narrowest = Math.floor((window * steps) / MOST_PLACES);
    for (let step = narrowest; step < end; step++) if (crossing[step] < crossing[narrowest]) narrowest = step;
    places.push(narrowest);
  }
  places.push(steps);
  return places;
}

function follow(best: readonly (Run | undefined)[][], steps: number, devices: number): Gene[] | undefined {
  const genes: Gene[] = [];
  let state = 0;
  while (genes.length < steps) {
    const run = best[genes.length][state];
    if (run === undefined) return undefined;
    while (genes.length < run.end) genes.push(wholeGene(run.device, devices));
    state = run.next;
  }
  return genes;
}

/** What runs that begin at a step cost on a device, one entry per end as long as they fit its memory. */
class RunCosts {
  private readonly computeNs: Float64Array[];
  private readonly weights: Bytes[];
  private readonly outputBytes: Bytes;
  /** Step of the last reader of each storage, the number of steps for an output. */
  private readonly lastUse: number[];

  constructor(private readonly workload: Workload) {
    const { flow, genes, cluster } = workload;
    const whole = flow.steps.map((operator) =>
      cluster.devices.map((_, device) => genes.compile(operator, wholeGene(device, cluster.devices.length))),
    );
    this.computeNs = whole.map((compiled) =>
      Float64Array.from(compiled, (gene, device) => gene.computeNs[device]),
    );
    this.weights = whole.map((compiled, step) => {
      let bytes = compiled[0].ownWeightBytes[0];
      for (const weight of genes.sharedWeights(flow.steps[step]))
        bytes += workload.graph.tensors[weight].bytes ?? 0;
      return bytes;
    });
    const { storages } = workload.graph;
    this.outputBytes = flow.outputs.reduce((sum, storage) => sum + (storages[storage].bytes ?? 0), 0);
    this.lastUse = flow.storages.map(({ readers }) =>
      readers.reduce<number>(
        (last, reader) => Math.max(last, reader === GATHER ? flow.steps.length : flow.stepOf[reader]),
        NONE,
      ),
    );
  }

  from(start: number, device: DeviceId): number[] {
    const { flow, graph, cluster, genes } = this.workload;
    const { memory, baseMemory } = cluster.devices[device];
    const live = new Set<number>();
    let bytes = 0;
    let weights = 0;
    let cost = 0;
    // The source holds the inputs until they are read for the last time, the sink all outputs at the end.
    let peak = device === cluster.sink ? this.outputBytes : 0;
    graph.storages.forEach((storage, id) => {
      if (device !== cluster.source || !storage.isInput || this.lastUse[id] < start) return;
      live.add(id);
      bytes += storage.bytes ?? 0;
    });
    const runs: number[] = [];
    for (let step = start; step < flow.steps.length; step++) {
      const { reads, makes } = flow.operators[flow.steps[step]];
      for (const storage of [...reads.map((read) => read.storage), ...makes]) {
        if (live.has(storage)) continue;
        live.add(storage);
        bytes += graph.storages[storage].bytes ?? 0;
      }
      weights += this.weights[step];
      peak = Math.max(peak, bytes + graph.operators[flow.steps[step]].bodyPeak.bytes);
      if (weights + peak > memory - baseMemory) break;
      cost += this.computeNs[step][device];
      for (const { storage } of reads) cost += this.messageNs(storage, start, device);
      for (const storage of makes) {
        if (!flow.storages[storage].isOutput || device === cluster.sink) continue;
        cost += genes.costs.messageNs(device, cluster.sink, graph.storages[storage].bytes ?? 0);
      }
      runs.push(cost);
      for (const storage of live) {
        if (this.lastUse[storage] > step) continue;
        live.delete(storage);
        bytes -= graph.storages[storage].bytes ?? 0;
      }
    }
    return runs;
  }

  /** For an input made before the run: from the source, or over the fastest link that leads here. */
  private messageNs(storage: number, start: number, device: DeviceId): number {
    const { flow, graph, cluster, genes } = this.workload;
    const { producer } = flow.storages[storage];
    const bytes = graph.storages[storage].bytes ?? 0;
    if (producer === NONE)
      return device === cluster.source ? 0 : genes.costs.messageNs(cluster.source, device, bytes);
    if (flow.stepOf[producer] >= start) return 0;
    const times = cluster.devices.map((_, from) =>
      from === device ? Infinity : genes.costs.messageNs(from, device, bytes),
    );
    return Math.min(...times);
  }
}
