import type { TensorId } from '../graph/units';
import type { CompiledGene } from './compiledGene';
import type { Genome, Workload } from './workload';

/** Weights that several operators use: the union of their slices on each device. */
export class SharedWeights {
  private readonly users: readonly (readonly { readonly operator: number; readonly index: number }[])[];
  private readonly weights: readonly TensorId[];

  constructor(private readonly workload: Workload) {
    const users = new Map<TensorId, { operator: number; index: number }[]>();
    for (const operator of workload.flow.steps) {
      workload.genes.sharedWeights(operator).forEach((weight, index) => {
        const known = users.get(weight);
        if (known === undefined) users.set(weight, [{ operator, index }]);
        else known.push({ operator, index });
      });
    }
    this.weights = [...users.keys()];
    this.users = [...users.values()];
  }

  get isEmpty(): boolean {
    return this.weights.length === 0;
  }

  /** Adds the bytes of every shared weight under `genome` to `bytes`, per device. */
  addTo(bytes: Float64Array, genome: Genome): void {
    this.weights.forEach((weight, position) => {
      const space = this.workload.genes.regions.space(weight);
      for (let device = 0; device < bytes.length; device++) {
        const slices = this.users[position].map(
          ({ operator, index }) => (genome[operator] as CompiledGene).sharedWeights[index][device],
        );
        const union = slices.reduce((all, slice) => space.union(all, slice));
        bytes[device] += this.workload.genes.regions.bytes(weight, union.elements);
      }
    });
  }
}

/** Bytes of weights resident on each device: of every weight the union of the slices that its shards use. */
export function residentWeights(workload: Workload, genome: Genome): Float64Array {
  const bytes = new Float64Array(workload.cluster.devices.length);
  for (const operator of workload.flow.steps) {
    genome[operator]!.ownWeightBytes.forEach((own, device) => (bytes[device] += own));
  }
  new SharedWeights(workload).addTo(bytes, genome);
  return bytes;
}
