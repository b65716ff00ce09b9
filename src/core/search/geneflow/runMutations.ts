import type { Random } from '../../graph/random';
import { NONE, type DeviceId } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { cutsAlong, devicesAlong, geneOfParts, ownRange, wholeGene, type Gene } from '../../latency/gene';
import type { SearchSpace } from './space';

type Genes = (CompiledGene | undefined)[];

/** The operators of steps `[from, to)` that are split as the first is are split along another of its dimensions, by the same shares. */
export function turnRun(space: SearchSpace, random: Random, genome: Genes, from: number, to: number): void {
  const { gene, operator } = genome[space.steps[from]]!;
  if (gene.split === NONE) return;
  const own = space.splits[operator][gene.split];
  const others = space.splits[operator].filter(({ dimension }) => dimension !== own.dimension);
  if (others.length === 0) return;
  const { dimension } = others[random.below(others.length)];
  for (let step = from; step < to; step++) {
    const turned = genome[space.steps[step]]!;
    if (turned.gene.split === NONE) continue;
    const splits = space.splits[turned.operator];
    const before = splits[turned.gene.split];
    const split = splits.findIndex((candidate) => candidate.dimension === dimension);
    if (before.dimension !== own.dimension || split === NONE) continue;
    const cuts = cutsAlong(turned.gene.cuts, before, splits[split]);
    genome[turned.operator] = space.compile(turned.operator, {
      ...turned.gene,
      split,
      cuts,
      halos: undefined,
    });
  }
}

/** Two devices exchange all that they do in the steps `[from, to)`. */
export function exchangeDevices(
  space: SearchSpace,
  genome: Genes,
  [a, b]: readonly [DeviceId, DeviceId],
  from: number,
  to: number,
): void {
  for (let step = from; step < to; step++) {
    const { gene, operator, hasPart } = genome[space.steps[step]]!;
    if (hasPart[a] + hasPart[b] > 0) {
      genome[operator] = space.compile(operator, withExchanged(gene, a, b, space.devices));
    }
  }
}

/** Each gets the other's part where it lies along the axis. */
function withExchanged(gene: Gene, a: DeviceId, b: DeviceId, devices: number): Gene {
  const other = (device: DeviceId): DeviceId => (device === a ? b : device === b ? a : device);
  const along = devicesAlong(gene);
  if (gene.split === NONE) return wholeGene(other(along[0]), devices);
  const parts = along.map((device) => {
    const [start, end] = ownRange(gene, device);
    return { device: other(device), length: end - start };
  });
  const reduceOn = gene.reduceOn === NONE ? NONE : other(gene.reduceOn);
  return geneOfParts({ split: gene.split, reduceOn }, parts, devices);
}
