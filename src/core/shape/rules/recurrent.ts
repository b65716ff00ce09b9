import { sizeOf } from '../dim';
import { type Operation, type Outputs, type Rule, type Rules, tensor } from '../operation';
import type { Dim } from '../types';

/** Sequence length, batch and hidden size; `layout` 1 (opset 14) puts the batch first. */
function recurrent(gates: number, states: number): Rule {
  return (op): Outputs => {
    const type = op.type(0);
    const x = op.shape(0);
    const hidden = op.int('hidden_size') ?? hiddenFromWeights(op, gates);
    const directions = op.string('direction', 'forward') === 'bidirectional' ? 2 : 1;
    const batchFirst = op.int('layout', 0) === 1;
    const [sequence, batch]: readonly Dim[] = batchFirst ? [x?.[1], x?.[0]] : [x?.[0], x?.[1]];
    const state = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
    const all = batchFirst ? [batch, sequence, directions, hidden] : [sequence, directions, batch, hidden];
    return [tensor(type, all), ...Array.from({ length: states }, () => tensor(type, state))];
  };
}

/** Rows of the recurrent weights are gates times hidden units. */
function hiddenFromWeights(op: Operation, gates: number): Dim {
  const recurrence = op.shape(2);
  const rows = sizeOf(recurrence?.[1]);
  return recurrence?.[2] ?? (rows === undefined ? undefined : rows / gates);
}

export const recurrentRules: Rules = {
  GRU: recurrent(3, 1),
  LSTM: recurrent(4, 2),
  RNN: recurrent(1, 1),
};
