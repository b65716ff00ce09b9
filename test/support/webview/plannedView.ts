import { parseCluster } from '../../../src/core/cluster/parse';
import { wholeGene, type Gene } from '../../../src/core/latency/gene';
import type { LatencyModel } from '../../../src/core/latency/workload';
import { MemoryByteSource } from '../../../src/core/onnx/byteSources';
import { encodePlan } from '../../../src/core/plan/codec';
import type { DeviceHoldings, ViewGraph } from '../../../src/protocol/webview';
import type { OpenRequest } from '../../../src/protocol/worker';
import { OpenModel } from '../../../src/worker/openModel';
import { PlanIndex } from '../../../webview/plan/planIndex';
import { chainModel } from '../../e2e/support/fixtures';
import { planner } from '../plans';

/** Two unequal devices; the first has just the memory that a chain of three convolutions needs. */
const PAIR = parseCluster({
  name: 'pair',
  devices: [
    { name: 'left', memory: '48 KiB', baseMemory: '1 KiB', compute: '20 MFLOP/s', operatorOverhead: '50 us' },
    { name: 'right', memory: '1 MiB', compute: '10 MFLOP/s', operatorOverhead: '50 us' },
  ],
  network: { kind: 'switched', bandwidth: '10 MB/s', latency: '0.2 ms' },
  source: 'left',
  sink: 'right',
});
/** Operators of the chain that are cut two to one; the others stay whole, in turns. */
const CUT = 4;

export interface PlannedView {
  readonly graph: ViewGraph;
  readonly plan: PlanIndex;
  readonly model: OpenModel;
  readonly holdings: readonly DeviceHoldings[];
}

/** A chain of convolutions, for which there is one order only, with a plan made by hand. */
export function plannedView(latency: LatencyModel): PlannedView {
  const bytes = chainModel(3);
  const plans = planner(new MemoryByteSource(bytes), PAIR, latency);
  const genome = plans.graph.operators.map(({ id, isView }) => {
    if (isView) return undefined;
    const split = plans.rules.splits(id).findIndex(({ dimension }) => dimension === 'H');
    const cut: Gene = { split, cuts: [0, 21, 32], reduceOn: -1 };
    return plans.workload.genes.compile(id, id < CUT ? cut : wholeGene(id % 2, 2));
  });
  const text = encodePlan(plans.plan(genome));
  const request: OpenRequest = {
    model: { kind: 'bytes', name: 'chain.onnx', bytes },
    plan: { kind: 'text', name: 'chain.memorianova.json', text },
    bindings: {},
    fuse: 'none',
    inPlace: 'none',
  };
  const model = OpenModel.read(request);
  const { document, plan } = model.state(request);
  if (plan.kind !== 'current') throw new Error(`The plan is ${plan.kind}.`);
  const index = new PlanIndex(plan.plan, document.graph);
  return { graph: document.graph, plan: index, model, holdings: model.holdings() };
}
