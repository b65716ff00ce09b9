import type { Cluster } from '../../cluster/cluster';
import type { Graph } from '../../graph/graph';
import { NONE, type Bytes, type OperatorId, type StorageId, type TensorId } from '../../graph/units';
import { CostModel } from '../../latency/costModel';
import { flowOf, type Flow } from '../../latency/flow';
import { boxesBytes } from '../../partition/boxBytes';
import type { Box, PartitionRules } from '../../partition/partition';
import { Regions, type RegionSpace } from '../../partition/regions';
import { tensorsAlike } from './alikeTensors';
import { Interrupted } from './elimination';
import { operatorOptions, type Option } from './options';

/** A model on a cluster, as the bounds see it. */
export class BoundScene {
  readonly flow: Flow;
  readonly costs: CostModel;
  readonly regions: Regions;
  private readonly weightUsers = new Map<TensorId, number>();
  private readonly options = new Map<OperatorId, readonly Option[]>();

  constructor(
    readonly graph: Graph,
    readonly rules: PartitionRules,
    readonly cluster: Cluster,
  ) {
    this.flow = flowOf(
      graph,
      graph.operators.map(({ id }) => id),
    );
    this.costs = new CostModel(cluster);
    this.regions = new Regions(graph, tensorsAlike(graph, this.flow, rules));
    for (const { weights } of this.flow.operators) {
      for (const weight of weights) this.weightUsers.set(weight, (this.weightUsers.get(weight) ?? 0) + 1);
    }
  }

  /** Every problem over this scene starts from the same. */
  optionsOf(operator: OperatorId): readonly Option[] {
    let known = this.options.get(operator);
    if (known === undefined) this.options.set(operator, (known = operatorOptions(this, operator)));
    return known;
  }

  /** Per step of the flow. @throws Interrupted as soon as `isStopped` says so */
  allOptions(isStopped: () => boolean): readonly (readonly Option[])[] {
    return this.flow.steps.map((operator) => {
      if (isStopped()) throw new Interrupted();
      return this.optionsOf(operator);
    });
  }

  space(storage: StorageId): RegionSpace {
    return this.regions.space(this.graph.storages[storage].tensors[0]);
  }

  bytes(tensor: TensorId, elements: number): Bytes {
    return this.regions.bytes(tensor, elements);
  }

  /** May be a fraction for packed types. */
  elementBytes(storage: StorageId): Bytes {
    const { size } = this.space(storage);
    return size === 0 ? 0 : this.bytes(this.graph.storages[storage].tensors[0], size) / size;
  }

  isOwnWeight(tensor: TensorId): boolean {
    return this.weightUsers.get(tensor) === 1;
  }

  isWeight(tensor: TensorId): boolean {
    return this.weightUsers.has(tensor);
  }

  /** What an operator reads and makes, whole, each once. */
  activationBytes(operator: OperatorId): Bytes {
    const { reads, makes } = this.flow.operators[operator];
    const storages = new Set([...reads.map(({ storage }) => storage), ...makes]);
    let bytes = 0;
    for (const storage of storages) bytes += this.graph.storages[storage].bytes ?? 0;
    return bytes;
  }

  /** Bytes of the boxes of those weights that count, each once. */
  weightBytes(
    operator: OperatorId,
    boxes: readonly (Box | undefined)[],
    isCounted: (tensor: TensorId) => boolean,
  ): Bytes {
    const { inputs } = this.graph.operators[operator];
    const counted = inputs.map((tensor, i) =>
      inputs.indexOf(tensor) === i && tensor !== NONE && isCounted(tensor) ? tensor : NONE,
    );
    return boxesBytes(this.graph, counted, boxes);
  }
}
