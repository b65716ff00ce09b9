import type { Cluster, Device } from '../../src/core/cluster/cluster';
import type { Graph } from '../../src/core/graph/graph';
import type { Random } from '../../src/core/graph/random';
import { NONE, type DeviceId, type OperatorId } from '../../src/core/graph/units';
import { wholeGene, type Gene } from '../../src/core/latency/gene';
import type { Split } from '../../src/core/partition/partition';

/** Up to five unequal devices; switched or shared, with link overrides, any source and sink. */
export function randomCluster(random: Random, memory = 2 ** 30): Cluster {
  const count = 1 + random.below(5);
  const devices = Array.from({ length: count }, (_, index): Device => ({
    name: `d${index}`,
    memory: Math.ceil(memory * (0.5 + random.next())),
    baseMemory: random.below(3) * 1000,
    compute: 1e8 * (1 + random.below(9)),
    memoryBandwidth: random.below(2) === 0 ? undefined : 1e8 * (1 + random.below(20)),
    operatorOverhead: 1e-5 * random.below(5) + 1e-7,
    efficiency: new Map(random.below(2) === 0 ? [] : [['Conv', 0.25 + random.next() / 2]]),
  }));
  const link = { from: 0, to: count - 1, bandwidth: 2e6, latency: random.below(2) === 0 ? undefined : 3e-4 };
  return {
    name: 'random',
    devices,
    network: {
      kind: random.below(3) === 0 ? 'shared' : 'switched',
      bandwidth: 1e6 * (1 + random.below(100)),
      latency: 1e-5 * random.below(30),
      links: count > 1 && random.below(2) === 0 ? [link] : [],
    },
    source: random.below(count),
    sink: random.below(count),
  };
}

/** Whole on some device, or cut anywhere along any of the splits, devices in any order, some of them without a part. */
export function randomGene(random: Random, splits: readonly Split[], devices: number): Gene {
  if (splits.length === 0 || random.below(4) === 0) return wholeGene(random.below(devices), devices);
  const split = random.below(splits.length);
  const { length, unit, dimension } = splits[split];
  const inner = Array.from({ length: devices - 1 }, () => unit * random.below(length / unit + 1)).sort(
    (a, b) => a - b,
  );
  const reduceOn = dimension === 'K' ? random.below(devices) : NONE;
  const cuts = [0, ...inner, length];
  return random.below(2) === 0
    ? { split, cuts, reduceOn }
    : { split, cuts, reduceOn, order: shuffledDevices(random, devices) };
}

export function shuffledDevices(random: Random, devices: number): DeviceId[] {
  const order = Array.from({ length: devices }, (_, device) => device);
  for (let last = devices - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/** A valid execution order other than the model's own. */
export function shuffledOrder(random: Random, graph: Graph): OperatorId[] {
  const waiting = graph.operators.map(
    ({ inputs }) => new Set(inputs.map((id) => (id === NONE ? NONE : graph.tensors[id].producer))),
  );
  const order: OperatorId[] = [];
  const done = new Set<OperatorId>([NONE]);
  while (order.length < graph.operators.length) {
    const ready = graph.operators.filter(
      ({ id }) => !done.has(id) && [...waiting[id]].every((producer) => done.has(producer)),
    );
    const next = ready[random.below(ready.length)].id;
    order.push(next);
    done.add(next);
  }
  return order;
}
