import { intAttribute } from '../../graph/attributes';
import type { NodeFacts, NodeSplit, Part } from './node';
import { along, axisSplit, each, WHOLE } from './node';

/** `RNN`, `GRU`, `LSTM` in the time-major layout: sequences of the batch are independent; time and gates are not. */
export function recurrent(facts: NodeFacts): NodeSplit[] {
  if (intAttribute(facts.node.attributes, 'layout', 0) !== 0) return [];
  const BATCH_OF_OUTPUT = 2;
  const inputs = each(facts.inputs, (_tensor, index): Part => {
    if (index === 0 || index === 5 || index === 6) return along(1);
    return index === 4 ? along(0) : WHOLE;
  });
  const outputs = each(facts.outputs, (_tensor, index) => along(index === 0 ? BATCH_OF_OUTPUT : 1));
  return [axisSplit(facts, BATCH_OF_OUTPUT, inputs, { outputs })];
}

/**
 * `Attention` on `[batch, heads, length, width]`: batch and, with as many key as query heads, heads. Query rows
 * too where nothing but the mask says which keys a row sees. Caches follow the batch and the heads.
 */
export function attention(facts: NodeFacts): NodeSplit[] {
  const [query, key] = facts.inputs;
  if (query === undefined || key === undefined) return [];
  const rank = query.shape.length;
  const mask = facts.inputs[3];
  const splits = [
    axisSplit(facts, 0, attentionParts(facts, 0, mask), { outputs: each(facts.outputs, () => along(0)) }),
  ];
  if (rank !== 4) return splits;
  if (key.shape[1] === query.shape[1]) splits.push(axisSplit(facts, 1, attentionParts(facts, 1, mask)));
  const isCausal = intAttribute(facts.node.attributes, 'is_causal', 0) !== 0;
  if (!isCausal && facts.outputs.slice(1).every((output) => output === undefined)) {
    const rows = each(facts.inputs, (tensor, index): Part => {
      if (index === 0) return along(2);
      const own = tensor.shape.length - 2;
      return index === 3 && tensor.shape[own] === query.shape[2] ? along(own) : WHOLE;
    });
    splits.push(axisSplit(facts, 2, rows));
  }
  return splits;
}

function attentionParts(facts: NodeFacts, axis: number, mask: NodeFacts['inputs'][number]): Part[] {
  const length = facts.inputs[0]!.shape[axis];
  return each(facts.inputs, (tensor, index): Part => {
    if (index !== 3) return tensor.shape.length > axis ? along(axis) : WHOLE;
    const own = axis - (4 - mask!.shape.length);
    return own >= 0 && mask!.shape[own] === length && length > 1 ? along(own) : WHOLE;
  });
}
