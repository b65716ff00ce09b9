import assert from 'node:assert/strict';
import { smartHome } from '../../../../src/core/cluster/smartHome';
import { seededRandom } from '../../../../src/core/graph/random';
import { wholeGene } from '../../../../src/core/latency/gene';
import { MemoryByteSource } from '../../../../src/core/onnx/byteSources';
import { encodePlan, parsePlan } from '../../../../src/core/plan/codec';
import { planGenes } from '../../../../src/core/plan/genes';
import { doorbellModel } from '../../../../src/engine/example/doorbell';
import { planner, randomGenome } from '../../../support/plans';

const cluster = smartHome();

describe('genes of a plan', () => {
  const plans = planner(new MemoryByteSource(doorbellModel()), cluster, 'overlapped');

  it('are those that it was made of, with devices in any order, also from its file', () => {
    const random = seededRandom(9);
    let reordered = 0;
    for (let round = 0; round < 40; round++) {
      const genome = randomGenome(plans, random);
      const plan = parsePlan(encodePlan(plans.plan(genome)));
      const genes = planGenes(plans.graph, plans.rules, plan, cluster);
      assert.deepEqual(
        genes,
        genome.map((compiled) => compiled?.gene),
      );
      reordered += genes.filter((gene) => gene?.order !== undefined).length;
    }
    assert.ok(reordered > 100);
  });

  it('are whole on the sink where the plan cuts as the graph cannot', () => {
    const plan = plans.plan(randomGenome(plans, seededRandom(1)));
    const operators = plan.operators.map((operator) => ({
      ...operator,
      partition: { ...operator.partition, dimension: 'H' as const, axis: 17 },
    }));
    const genes = planGenes(plans.graph, plans.rules, { ...plan, operators }, cluster);
    for (const gene of genes)
      if (gene !== undefined) assert.deepEqual(gene, wholeGene(cluster.sink, cluster.devices.length));
  });
});
