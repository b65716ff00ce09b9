import { isSame, sizeOf } from '../dim';
import { mergeOutputs, isSettled, mergeTypes } from '../merge';
import {
  frontAxis,
  type Operation,
  type Output,
  type Outputs,
  type Rule,
  type Rules,
  RuleError,
  scalar,
  tensor,
  UNKNOWN_TYPE,
} from '../operation';
import type { ModelGraph } from '../../onnx/model';
import type { Dim, InferredValue } from '../types';

/** A loop whose number of passes is known and at most this is followed pass by pass. */
const MAX_PASSES = 32;
/** Passes until carried shapes have settled: each can only lose dimensions, then the rank, then the type. */
const MAX_ROUNDS = 4;

function bodyOf(op: Operation, name: string): ModelGraph {
  const body = op.graph(name);
  if (body === undefined) throw new RuleError(`it lacks its subgraph '${name}'`);
  return body;
}

/** A formal input: its value may differ from pass to pass, so it is no constant. */
function formal(output: Output | undefined): InferredValue | undefined {
  return output && { ...output, isConstant: false };
}

/** With a known condition only the branch that is taken counts. */
const branch: Rule = (op) => {
  const condition = op.number(0);
  const [taken, other] = condition === 0 ? ['else_branch', 'then_branch'] : ['then_branch', 'else_branch'];
  const second = op.bodies.infer(other, bodyOf(op, other), []).outputs;
  const first = op.bodies.infer(taken, bodyOf(op, taken), []).outputs;
  if (condition !== undefined) {
    op.bodies.acquit(other);
    return first;
  }
  return first.map((output, one) => mergeOutputs(output, second[one]));
};

const loop: Rule = (op) => {
  const body = bodyOf(op, 'body');
  const limit = op.has(0) ? op.values(0)?.[0] : null;
  const start = op.has(1) ? op.number(1) : 1;
  const carried = op.inputs.slice(2);
  if (start === 0 || sizeOf(limit ?? undefined) === 0) return withoutPass(op, body, carried);
  const passes = limit === null ? undefined : sizeOf(limit);
  if (passes !== undefined && passes <= MAX_PASSES && start === 1) {
    const followed = followPasses(op, body, passes, carried);
    if (followed !== undefined) return followed;
  }
  return settledLoop(op, body, limit === null ? undefined : limit, carried, start === 1);
};

/** What the body is given in one pass: its number, that the condition holds, and what is carried. */
function passInputs(pass: number | undefined, carried: Outputs): (InferredValue | undefined)[] {
  return [formal(scalar('int64', pass)), formal(scalar('bool', 1)), ...carried.map(formal)];
}

function withoutPass(op: Operation, body: ModelGraph, carried: Outputs): Outputs {
  const { outputs } = op.bodies.infer('body', body, passInputs(undefined, carried));
  return [...carried, ...outputs.slice(1 + carried.length).map((output) => stacked(output, 0))];
}

/** `undefined` where the body's condition is not known in some pass. */
function followPasses(
  op: Operation,
  body: ModelGraph,
  passes: number,
  initial: Outputs,
): Outputs | undefined {
  let carried = initial;
  const scans: (Output | undefined)[][] = [];
  for (let pass = 0; pass < passes; pass++) {
    const { outputs } = op.bodies.infer('body', body, passInputs(pass, carried));
    carried = outputs.slice(1, 1 + initial.length);
    outputs.slice(1 + initial.length).forEach((output, one) => (scans[one] ??= []).push(output));
    const goesOn = outputs[0]?.values && sizeOf(outputs[0].values[0]);
    if (goesOn === undefined) return undefined;
    if (goesOn === 0) break;
  }
  return [...carried, ...scans.map(stackedScan)];
}

function stackedScan(passes: readonly (Output | undefined)[]): Output | undefined {
  const each = passes.reduce((a, b) => mergeOutputs(a, b));
  return stacked(each, passes.length);
}

/** One entry per pass along a new first axis. */
function stacked(each: Output | undefined, passes: Dim): Output | undefined {
  if (each?.type.kind !== 'tensor') return undefined;
  const { type, shape } = each.type;
  return tensor(type, shape && [passes, ...shape]);
}

function settledLoop(
  op: Operation,
  body: ModelGraph,
  limit: Dim,
  initial: Outputs,
  startsForSure: boolean,
): Outputs {
  const { carried, outputs } = settle(
    op,
    initial,
    (given) => op.bodies.infer('body', body, passInputs(undefined, given)).outputs,
  );
  const goesOn = outputs[0]?.values && sizeOf(outputs[0].values[0]);
  const passes = startsForSure && goesOn === 1 ? limit : startsForSure && goesOn === 0 ? 1 : undefined;
  const surelyOnce = (sizeOf(passes) ?? 0) > 0;
  const after = outputs.slice(1, 1 + initial.length);
  const results = surelyOnce
    ? after
    : after.map((output, one) => mergeOutputs(held(carried[one], output), output));
  return [
    ...results.map((output) => output && { ...output, values: undefined }),
    ...outputs.slice(1 + initial.length).map((output) => stacked(output, passes)),
  ];
}

/** A loop may start from an optional and carry what it held from then on. */
function held(before: Output | undefined, after: Output | undefined): Output | undefined {
  if (before?.type.kind !== 'optional' || after?.type.kind === 'optional') return before;
  return { type: before.type.element };
}

/**
 * Widens what is carried until a pass gives back nothing new. Values are dropped at once: they change from
 * pass to pass.
 */
function settle(
  op: Operation,
  initial: Outputs,
  pass: (carried: Outputs) => Outputs,
): { carried: Outputs; outputs: Outputs } {
  let carried: Outputs = initial.map((one) => one && { type: one.type });
  let outputs = pass(carried);
  const first = op.node.type === 'Loop' ? 1 : 0;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const next = carried.map((one, at) => {
      const merged = mergeOutputs(one, outputs[first + at]);
      return merged && { type: round === MAX_ROUNDS - 1 ? UNKNOWN_TYPE : merged.type };
    });
    if (next.every((one, at) => isSettled(carried[at], one))) break;
    carried = next;
    outputs = pass(carried);
  }
  return { carried, outputs };
}

const scan: Rule = (op) => {
  const body = bodyOf(op, 'body');
  const scanned = op.int('num_scan_inputs', 0);
  const batched = op.version < 9;
  const inputs = batched ? op.inputs.slice(1) : op.inputs;
  const states = inputs.length - scanned;
  if (scanned <= 0 || states < 0) throw new RuleError(`its attribute 'num_scan_inputs' is ${scanned}`);
  const axes = op.ints('scan_input_axes') ?? [];
  const lead = batched ? 1 : 0;
  const slices = inputs.slice(states).map((input, one) => sliceOf(input, axes[one] ?? 0, lead));
  const length = slices.map((one) => one.length).find((one) => one !== undefined);
  for (const one of slices)
    if (sizeOf(one.length) !== undefined && sizeOf(length) !== undefined && !isSame(one.length, length))
      throw new RuleError('its scanned inputs differ in length');
  const initial = inputs.slice(0, states).map((state) => (batched ? withoutFirst(state) : state));
  const { outputs } = settle(
    op,
    initial,
    (carried) =>
      op.bodies.infer('body', body, [...carried.map(formal), ...slices.map((one) => formal(one.slice))])
        .outputs,
  );
  const batch = batched ? shapeOf(inputs[0])?.[0] : undefined;
  const withBatch = (output: Output | undefined) => (batched ? stacked(output, batch) : output);
  const outAxes = op.ints('scan_output_axes') ?? [];
  return [
    ...outputs.slice(0, states).map((output) => output && withBatch({ type: output.type })),
    ...outputs.slice(states).map((output, one) => withBatch(stackedAt(output, length, outAxes[one] ?? 0))),
  ];
};

function shapeOf(value: Output | undefined): readonly Dim[] | undefined {
  return value?.type.kind === 'tensor' ? value.type.shape : undefined;
}

function withoutFirst(value: Output | undefined): Output | undefined {
  if (value?.type.kind !== 'tensor') return undefined;
  return tensor(value.type.type, value.type.shape?.slice(1));
}

/** One element along the scanned axis, and how many there are; `lead` batch axes stay out of it. */
function sliceOf(
  input: Output | undefined,
  axis: number,
  lead: number,
): { slice: Output | undefined; length: Dim } {
  if (input?.type.kind !== 'tensor') return { slice: undefined, length: undefined };
  const shape = input.type.shape?.slice(lead);
  if (shape === undefined) return { slice: tensor(input.type.type, undefined), length: undefined };
  const at = frontAxis(axis, shape.length);
  return {
    slice: tensor(
      input.type.type,
      shape.filter((_, one) => one !== at),
    ),
    length: shape[at],
  };
}

function stackedAt(each: Output | undefined, length: Dim, axis: number): Output | undefined {
  const shape = shapeOf(each);
  if (each?.type.kind !== 'tensor') return undefined;
  if (shape === undefined) return tensor(each.type.type, undefined);
  const at = frontAxis(axis, shape.length + 1);
  return tensor(each.type.type, [...shape.slice(0, at), length, ...shape.slice(at)]);
}

/** Runs its body on every element; other inputs that are sequences go along element by element. */
const sequenceMap: Rule = (op) => {
  const body = bodyOf(op, 'body');
  const lengths = op.inputs.map((input) =>
    input?.type.kind === 'sequence' ? input.elements?.length : undefined,
  );
  const count = lengths[0];
  const elementOf = (input: InferredValue | undefined, at: number | undefined): InferredValue | undefined => {
    if (input?.type.kind !== 'sequence') return input;
    return (at !== undefined && input.elements?.[at]) || { type: input.type.element, isConstant: false };
  };
  const run = (at: number | undefined) =>
    op.bodies.infer(
      'body',
      body,
      op.inputs.map((input) => formal(elementOf(input, at))),
    ).outputs;
  if (count === undefined || count > MAX_PASSES || count === 0)
    return run(undefined).map((output) => output && { type: { kind: 'sequence', element: output.type } });
  const results = Array.from({ length: count }, (_, at) => run(at));
  return results[0].map((_, one) => {
    const elements = results.map(
      (outputs) => formal(outputs[one]) ?? { type: UNKNOWN_TYPE, isConstant: false },
    );
    const element = elements.map((value) => value.type).reduce((a, b) => mergeTypes(a, b));
    return { type: { kind: 'sequence', element }, elements };
  });
};

export const controlRules: Rules = { If: branch, Loop: loop, Scan: scan, SequenceMap: sequenceMap };
