import type { Operator } from '../../graph/graph';
import { NONE } from '../../graph/units';
import type { Split } from '../partition';
import type { NodeSplit, Part } from './node';
import { ABSENT } from './node';

/** A way to split an operator, with how each of its inputs and outputs follows and each member's overrides. */
export interface OperatorSplit extends Split {
  readonly inputs: readonly Part[];
  readonly outputs: readonly Part[];
  /** Per member. */
  readonly members: readonly NodeSplit[];
}

/**
 * Splits of an operator from those of its members: the first member's, where every later member follows the
 * same axis of its predecessor's output through. A fused operator has no `K`: what follows the sum is not linear.
 */
export function composeMembers(
  operator: Operator,
  members: readonly (readonly NodeSplit[])[],
): OperatorSplit[] {
  const composed: OperatorSplit[] = [];
  for (const first of members[0]) {
    if (first.dimension === 'K' && members.length > 1) continue;
    const chain = followChain(operator, first, members);
    const split = chain && operatorSplit(operator, chain);
    if (split !== undefined) composed.push(split);
  }
  return composed;
}

function followChain(
  operator: Operator,
  first: NodeSplit,
  members: readonly (readonly NodeSplit[])[],
): NodeSplit[] | undefined {
  const chain = [first];
  for (let index = 1; index < members.length; index++) {
    const follower = members[index].find(
      (split) =>
        split.dimension !== 'K' && split.axis === first.axis && followsPredecessor(operator, index, split),
    );
    if (follower === undefined) return undefined;
    chain.push(follower);
  }
  return chain;
}

function followsPredecessor(operator: Operator, index: number, split: NodeSplit): boolean {
  const fed = operator.members[index - 1].outputs[0];
  return operator.members[index].inputs.every((tensor, input) => {
    const part = split.inputs[input];
    return tensor !== fed || (typeof part === 'object' && part.isIdentity && part.axis === split.axis);
  });
}

/** `undefined` where two members want different parts of one shared weight. */
function operatorSplit(operator: Operator, chain: NodeSplit[]): OperatorSplit | undefined {
  const first = chain[0];
  const inputs: (Part | undefined)[] = operator.inputs.map((_tensor, index) => first.inputs[index]);
  for (let index = 1; index < chain.length; index++) {
    const fed = operator.members[index - 1].outputs[0];
    for (const [input, tensor] of operator.members[index].inputs.entries()) {
      if (tensor === fed || tensor === NONE) continue;
      const wanted = chain[index].inputs[input];
      const added = operator.inputs.indexOf(tensor, first.inputs.length);
      const position = added >= 0 ? added : operator.inputs.indexOf(tensor);
      if (inputs[position] !== undefined && inputs[position] !== wanted) return undefined;
      inputs[position] = wanted;
    }
  }
  return {
    dimension: first.dimension,
    axis: first.axis,
    length: first.length,
    unit: chain.reduce((unit, split) => leastCommonMultiple(unit, split.unit), 1),
    ...(first.bias === undefined ? {} : { bias: first.bias }),
    inputs: inputs.map((part) => part ?? ABSENT),
    outputs: chain[chain.length - 1].outputs,
    members: chain,
  };
}

function leastCommonMultiple(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller !== 0) [larger, smaller] = [smaller, larger % smaller];
  return (a / larger) * b;
}
