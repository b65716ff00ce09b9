import { basename } from 'node:path';
import { scanLayout, type ModelLayout } from '../core/export/modelLayout';
import type { PlannedGraph } from '../core/export/problem';
import { checkPlannedGraph } from '../core/export/problem';
import { InputError } from '../core/graph/problem';
import type { Partition } from '../core/partition/partition';
import { partitionRules } from '../core/partition/rules';
import type { Plan, PlanOperator } from '../core/plan/plan';
import { type Analysis, analyzeFile } from './analyze';
import { FileByteSource } from './byteSource';
import { isCurrent } from './planFile';

/** A model file that is open, with a plan that was made for it. Close it after use. */
export interface PlannedModel {
  readonly path: string;
  readonly source: FileByteSource;
  readonly layout: ModelLayout;
  readonly analysis: Analysis;
  readonly planned: PlannedGraph;
}

/**
 * Opens the model under the plan's bindings and fusion. Throws `InputError`, one sentence each, for a plan of
 * another model, an unknown device, gaps, overlaps, and splits that the operator does not allow.
 */
export function openPlanned(modelPath: string, plan: Plan): PlannedModel {
  const source = new FileByteSource(modelPath);
  try {
    const bindings = new Map(Object.entries(plan.model.bindings));
    const analysis = analyzeFile(modelPath, { bindings, fuse: plan.options.fuse });
    if (!isCurrent(plan, analysis.model))
      throw new InputError(
        `The plan was made for another version of "${plan.model.file}" than "${basename(modelPath)}" is now: optimize again.`,
      );
    const planned = plannedGraph(analysis, plan);
    checkPlannedGraph(planned);
    return { path: modelPath, source, layout: scanLayout(source), analysis, planned };
  } catch (error) {
    source.close();
    throw error;
  }
}

function plannedGraph({ graph }: Analysis, plan: Plan): PlannedGraph {
  const devices = plan.cluster.devices.map((device) => device.name);
  const byIndex = new Map(graph.operators.map((operator) => [operator.index, operator]));
  const partitions: (Partition | undefined)[] = graph.operators.map(() => undefined);
  for (const planned of plan.operators) {
    const operator = byIndex.get(planned.index);
    if (operator === undefined)
      throw new InputError(`The plan speaks of operator ${planned.index}, which the model does not have.`);
    if (!operator.isView) partitions[operator.id] = partitionOf(planned, devices);
  }
  const steps = plan.order.steps.map((index) => {
    const operator = byIndex.get(index);
    if (operator === undefined)
      throw new InputError(`The plan's order names operator ${index}, which the model does not have.`);
    return operator.id;
  });
  const [source, sink] = [plan.cluster.source, plan.cluster.sink].map((name) => devices.indexOf(name));
  return { graph, rules: partitionRules(graph), devices, source, sink, steps, partitions };
}

function partitionOf(planned: PlanOperator, devices: readonly string[]): Partition {
  const { dimension, axis, shards, reduceOn } = planned.partition;
  const deviceOf = (name: string): number => {
    const device = devices.indexOf(name);
    if (device < 0)
      throw new InputError(
        `The plan gives operator ${planned.index} to device "${name}", which its cluster does not have.`,
      );
    return device;
  };
  return {
    dimension,
    axis,
    shards: shards.map((shard) => ({ ...shard, device: deviceOf(shard.device) })),
    ...(reduceOn === undefined ? {} : { reduceOn: deviceOf(reduceOn) }),
  };
}
