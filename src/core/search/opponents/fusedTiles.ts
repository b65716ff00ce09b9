/**
 * Fused row tiles (DeepThings; AOFL for the choice of groups): within a group of consecutive operators every
 * device computes all rows that its share of the group's last outputs depends on, and recomputes halos instead
 * of exchanging them; between groups, and where rows cannot be followed, data moves as usual.
 */
import { NONE, type DeviceId } from '../../graph/units';
import { GATHER } from '../../latency/flow';
import { ownRange, wholeGene, type Gene } from '../../latency/gene';
import type { Workload } from '../../latency/workload';
import { cutsByShares } from './shares';

/** @param groupSize operators fused at most. @returns genes in step order */
export function fusedTiles(workload: Workload, groupSize: number): Gene[] {
  const { flow, genes: table, cluster } = workload;
  const speeds = cluster.devices.map(({ compute }) => compute);
  const fastest = speeds.indexOf(Math.max(...speeds));
  const found: Gene[] = flow.steps.map((operator): Gene => {
    const position = rowSplit(workload, operator);
    if (position === NONE) return wholeGene(fastest, speeds.length);
    return { split: position, cuts: cutsByShares(table.splits(operator)[position], speeds), reduceOn: NONE };
  });
  for (let step = flow.steps.length - 1; step >= 0; step--) {
    // The last operator of each group exchanges; all others compute what their readers in the group need.
    if (found[step].split === NONE || (step + 1) % groupSize === 0) continue;
    found[step] = widened(workload, found, step, groupSize);
  }
  return found;
}

function rowSplit({ genes }: Workload, operator: number): number {
  return genes.splits(operator).findIndex(({ dimension }) => dimension === 'H');
}

function widened(workload: Workload, found: readonly Gene[], step: number, groupSize: number): Gene {
  const { flow, cluster } = workload;
  const operator = flow.steps[step];
  const gene = found[step];
  const halos = new Array<number>(2 * cluster.devices.length).fill(0);
  const group = Math.floor(step / groupSize);
  for (const storage of flow.operators[operator].makes) {
    for (const reader of flow.storages[storage].readers) {
      if (reader === GATHER || Math.floor(flow.stepOf[reader] / groupSize) !== group) continue;
      if (found[flow.stepOf[reader]].split === NONE) continue;
      cluster.devices.forEach((_, device) =>
        widen(workload, gene, found[flow.stepOf[reader]], reader, storage, device, halos),
      );
    }
  }
  return { ...gene, halos };
}

/** Adds the rows that `device` reads of `storage` beyond its own, where the storage's rows are the gene's axis. */
function widen(
  workload: Workload,
  gene: Gene,
  readerGene: Gene,
  reader: number,
  storage: number,
  device: DeviceId,
  halos: number[],
): void {
  const { flow, graph, genes: table } = workload;
  const [ownStart, ownEnd] = ownRange(gene, device);
  if (ownStart === ownEnd) return;
  const operator = flow.storages[storage].producer;
  const { axis, unit, length } = table.splits(operator)[gene.split];
  const space = table.regions.space(graph.storages[storage].tensors[0]);
  const shape = graph.tensors[graph.storages[storage].tensors[0]].shape as readonly number[];
  // The factored axis of the rows: the one whose index has the rows' stride.
  const factor = factorOfAxis(space.factors, shape, axis);
  if (factor === NONE || space.factors[factor] !== length) return;
  const read = flow.operators[reader].reads.findIndex((candidate) => candidate.storage === storage);
  const need = table.compile(reader, readerGene).needs[read][device];
  if (need.elements === 0) return;
  let first = Infinity;
  let end = 0;
  for (let box = 0; box < need.boxes.length; box += 2 * space.factors.length) {
    first = Math.min(first, need.boxes[box + 2 * factor]);
    end = Math.max(end, need.boxes[box + 2 * factor + 1]);
  }
  const whole = (rows: number): number => Math.ceil(Math.max(0, rows) / unit) * unit;
  halos[2 * device] = Math.max(halos[2 * device], whole(ownStart - first));
  halos[2 * device + 1] = Math.max(halos[2 * device + 1], whole(end - ownEnd));
}

function factorOfAxis(factors: readonly number[], shape: readonly number[], axis: number): number {
  const inner = (dims: readonly number[], after: number): number =>
    dims.slice(after + 1).reduce((all, dim) => all * dim, 1);
  return factors.findIndex((size, f) => size === shape[axis] && inner(factors, f) === inner(shape, axis));
}
