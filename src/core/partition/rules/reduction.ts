import { intAttribute, intsAttribute } from '../../graph/attributes';
import type { Family, NodeFacts, NodeSplit } from './node';
import { allowsScaledSums, along, axisSplit, firstInput, normalizeAxis, partialSum } from './node';

/** How shards along a reduced axis combine: not at all, by a sum, or by a sum of means weighed with their shares. */
type Combination = 'none' | 'sum' | 'mean';

/** `ReduceX` over axes given as attribute or constant: the other axes follow; linear ones also by partial sums. */
export function reduction(combination: Combination): Family {
  return (facts) => {
    const rank = facts.inputs[0]?.shape.length ?? 0;
    const reduced = reducedAxes(facts, rank);
    if (reduced === undefined) return [];
    const keepsAxes = intAttribute(facts.node.attributes, 'keepdims', 1) !== 0;
    return reductionSplits(facts, reduced, keepsAxes, combination);
  };
}

/** `undefined` where the axes are not known. */
function reducedAxes(facts: NodeFacts, rank: number): ReadonlySet<number> | undefined {
  const given =
    facts.inputs[1] === undefined ? intsAttribute(facts.node.attributes, 'axes') : facts.inputs[1].values;
  if (facts.inputs[1] !== undefined && given === undefined) return undefined;
  if (given === undefined || given.length === 0) {
    const isNoop = intAttribute(facts.node.attributes, 'noop_with_empty_axes', 0) !== 0;
    return new Set(isNoop ? [] : Array.from({ length: rank }, (_unused, axis) => axis));
  }
  return new Set(given.map((axis) => normalizeAxis(axis, rank)));
}

function reductionSplits(
  facts: NodeFacts,
  reduced: ReadonlySet<number>,
  keepsAxes: boolean,
  combination: Combination,
): NodeSplit[] {
  const splits: NodeSplit[] = [];
  const shape = facts.inputs[0]!.shape;
  let output = 0;
  shape.forEach((length, axis) => {
    const inputs = firstInput(facts, along(axis));
    if (!reduced.has(axis)) splits.push(axisSplit(facts, output, inputs));
    else if (combination === 'sum') splits.push(partialSum(facts, axis, inputs));
    else if (combination === 'mean' && allowsScaledSums(facts))
      splits.push(partialSum(facts, axis, inputs, { scale: (start, end) => (end - start) / length }));
    if (keepsAxes || !reduced.has(axis)) output++;
  });
  return splits;
}

/** `ArgMax`, `ArgMin`: every axis but the searched one. */
export function argReduction(facts: NodeFacts): NodeSplit[] {
  const searched = normalizeAxis(
    intAttribute(facts.node.attributes, 'axis', 0),
    facts.inputs[0]!.shape.length,
  );
  const keepsAxes = intAttribute(facts.node.attributes, 'keepdims', 1) !== 0;
  return reductionSplits(facts, new Set([searched]), keepsAxes, 'none');
}
