import { add, floorDivide, multiply } from '../dim';
import {
  like,
  type Operation,
  type Output,
  type Outputs,
  type Rule,
  type Rules,
  RuleError,
  tensor,
} from '../operation';
import type { Dim } from '../types';

/** Queries, keys or values seen as (batch, heads, sequence, head size), whichever layout the input has. */
interface Heads {
  readonly batch: Dim;
  readonly heads: Dim;
  readonly sequence: Dim;
  readonly size: Dim;
}

function headsOf(op: Operation, input: number, heads: number | undefined): Heads | undefined {
  const shape = op.shape(input);
  if (shape === undefined) return undefined;
  if (shape.length === 4) return { batch: shape[0], heads: shape[1], sequence: shape[2], size: shape[3] };
  if (shape.length !== 3) throw new RuleError(`its input ${input} has rank ${shape.length}, neither 3 nor 4`);
  const size = heads === undefined ? undefined : floorDivide(shape[2], heads);
  return { batch: shape[0], heads, sequence: shape[1], size };
}

/** Y, the extended keys and values, and the scores; the past's length adds to that of the new keys. */
const attention: Rule = (op): Outputs => {
  const q = headsOf(op, 0, op.int('q_num_heads'));
  const k = headsOf(op, 1, op.int('kv_num_heads'));
  const v = headsOf(op, 2, op.int('kv_num_heads'));
  const type = op.type(0);
  if (q === undefined) return [tensor(type, undefined)];
  const past = op.has(4) ? op.shape(4)?.[2] : 0;
  const total = add(past, k?.sequence);
  const folded = op.shape(0)!.length === 3;
  const y = folded
    ? [q.batch, q.sequence, multiply(q.heads, v?.size)]
    : [q.batch, q.heads, q.sequence, v?.size];
  const cache = (one: Heads | undefined, input: number): Output =>
    tensor(op.type(input), [one?.batch ?? q.batch, one?.heads, total, one?.size]);
  return [tensor(type, y), cache(k, 1), cache(v, 2), tensor(type, [q.batch, q.heads, q.sequence, total])];
};

/** The state is one key-size by value-size matrix per head of keys. */
const linearAttention: Rule = (op): Outputs => {
  const heads = op.int('kv_num_heads');
  const k = headsOf(op, 1, heads);
  const v = headsOf(op, 2, heads);
  const q = op.shape(0);
  const type = op.type(0);
  const width = multiply(op.int('q_num_heads'), v?.size);
  const state = op.shape(3) ?? [k?.batch, heads, k?.size, v?.size];
  return [tensor(type, q && [q[0], q[1], width]), tensor(op.type(3) ?? type, state)];
};

/** Its subgraphs change scores and probabilities, never their shapes. */
const flexAttention: Rule = (op) => {
  const q = headsOf(op, 0, undefined);
  const v = headsOf(op, 2, undefined);
  const scores = q && [q.batch, q.heads, q.sequence, headsOf(op, 1, undefined)?.sequence];
  for (const name of ['score_mod', 'prob_mod']) {
    const body = op.graph(name);
    const input = { ...tensor(op.type(0), scores), isConstant: false };
    if (body !== undefined) op.bodies.infer(name, body, [input]);
  }
  return [tensor(op.type(0), q && [q.batch, q.heads, q.sequence, v?.size])];
};

export const attentionRules: Rules = {
  Attention: attention,
  LinearAttention: linearAttention,
  RotaryEmbedding: (op) => [like(op, 0)],
};

export const previewRules: Rules = { FlexAttention: flexAttention };
