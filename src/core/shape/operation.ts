import type { AttributeValue } from '../graph/attributes';
import type { ElementType } from '../graph/elementType';
import type { Initializer, ModelGraph, ModelNode } from '../onnx/model';
import { sizeOf } from './dim';
import type { Dim, InferredGraph, InferredValue, ValueType } from './types';

/** What a rule says of one output; the rest of `InferredValue` follows from the inputs. */
export interface Output {
  readonly type: ValueType;
  readonly values?: readonly Dim[];
  readonly elements?: readonly InferredValue[];
}

export type Outputs = readonly (Output | undefined)[];

/**
 * Shape inference of one operator type: what is known of the outputs, given what is known of the inputs.
 * A missing entry or `undefined` is an output of which nothing is known. Throws `RuleError` (one clause,
 * without a full stop) where the inputs contradict the operator's definition.
 */
export type Rule = (operation: Operation) => Outputs;

export type Rules = Readonly<Record<string, Rule>>;

/**
 * The node's inputs or attributes break its operator's definition: one clause. Thrown, but never past the
 * inference, so it does without the stack trace that would cost more than inferring the node.
 */
export class RuleError {
  constructor(readonly message: string) {}
}

/** Inference inside a subgraph of the operator, given what its inputs are. */
export interface Bodies {
  infer(attribute: string, graph: ModelGraph, inputs: readonly (InferredValue | undefined)[]): BodyResult;
  /** What is wrong in this subgraph does not matter: it never runs. */
  acquit(attribute: string): void;
}

export interface BodyResult {
  readonly graph: InferredGraph;
  readonly outputs: readonly (InferredValue | undefined)[];
}

/** A value tensor is followed element by element up to this size; larger ones keep only their shape. */
export const MAX_VALUES = 1024;

export const UNKNOWN_TYPE: ValueType = { kind: 'unknown' };

/** One node as a rule sees it. */
export class Operation {
  constructor(
    readonly node: ModelNode,
    /** Version of the node's domain that is in force. */
    readonly version: number,
    readonly inputs: readonly (InferredValue | undefined)[],
    private readonly attribute: (name: string) => AttributeValue | undefined,
    readonly bodies: Bodies,
  ) {}

  has(input: number): boolean {
    return this.inputs[input] !== undefined;
  }

  /** Element type of a tensor input. */
  type(input: number): ElementType | undefined {
    const type = this.inputs[input]?.type;
    return type?.kind === 'tensor' || type?.kind === 'sparse' ? type.type : undefined;
  }

  shape(input: number): readonly Dim[] | undefined {
    const type = this.inputs[input]?.type;
    return type?.kind === 'tensor' || type?.kind === 'sparse' ? type.shape : undefined;
  }

  values(input: number): readonly Dim[] | undefined {
    return this.inputs[input]?.values;
  }

  /** The values where all of them are numbers under the bindings in force. */
  numbers(input: number): readonly number[] | undefined {
    const values = this.values(input)?.map(sizeOf);
    return values?.includes(undefined) ? undefined : (values as number[] | undefined);
  }

  /** The single value of a scalar or one-element input. */
  number(input: number): number | undefined {
    const values = this.values(input);
    return values?.length === 1 ? sizeOf(values[0]) : undefined;
  }

  hasAttribute(name: string): boolean {
    return this.attribute(name) !== undefined;
  }

  int(name: string): number | undefined;
  int(name: string, otherwise: number): number;
  int(name: string, otherwise?: number): number | undefined {
    const found = this.attribute(name);
    return found?.kind === 'int' ? found.value : otherwise;
  }

  float(name: string, otherwise: number): number {
    const found = this.attribute(name);
    return found?.kind === 'float' ? found.value : otherwise;
  }

  string(name: string, otherwise: string): string {
    const found = this.attribute(name);
    return found?.kind === 'string' ? found.value : otherwise;
  }

  ints(name: string): readonly number[] | undefined {
    const found = this.attribute(name);
    return found?.kind === 'ints' ? found.value : undefined;
  }

  floats(name: string): readonly number[] | undefined {
    const found = this.attribute(name);
    return found?.kind === 'floats' ? found.value : undefined;
  }

  strings(name: string): readonly string[] | undefined {
    const found = this.attribute(name);
    return found?.kind === 'strings' ? found.value : undefined;
  }

  tensor(name: string): Initializer | undefined {
    const found = this.attribute(name);
    return found?.kind === 'tensor' ? (found.value as Initializer) : undefined;
  }

  graph(name: string): ModelGraph | undefined {
    const found = this.attribute(name);
    return found?.kind === 'graph' ? (found.value as ModelGraph) : undefined;
  }

  /** How many outputs the node lists. */
  get outputCount(): number {
    return this.node.outputs.length;
  }
}

export function tensor(
  type: ElementType | undefined,
  shape: readonly Dim[] | undefined,
  values?: readonly Dim[],
): Output {
  return { type: { kind: 'tensor', type, shape }, values };
}

export function scalar(type: ElementType | undefined, value?: Dim): Output {
  return tensor(type, [], value === undefined ? undefined : [value]);
}

/** Of the same type and shape as an input. */
export function like(operation: Operation, input: number, type = operation.type(input)): Output {
  return tensor(type, operation.shape(input));
}

/** `count` dimensions of which nothing is known. */
export function unknownDims(count: number): Dim[] {
  return Array.from({ length: count }, () => undefined);
}

/** `axis` counted from the front; throws where it lies outside `[-rank, rank)`. */
export function frontAxis(axis: number, rank: number): number {
  const front = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || front < 0 || front >= rank)
    throw new RuleError(`axis ${axis} is outside a tensor of rank ${rank}`);
  return front;
}

/** Every dimension as a number, or `undefined` where one is not known. */
export function sizesOf(shape: readonly Dim[] | undefined): number[] | undefined {
  if (shape === undefined) return undefined;
  const sizes: number[] = [];
  for (const dim of shape) {
    const size = sizeOf(dim);
    if (size === undefined) return undefined;
    sizes.push(size);
  }
  return sizes;
}

/** Product of sizes; may exceed exact integers, which only matters to comparisons with small limits. */
export function countOf(sizes: readonly number[]): number {
  let count = 1;
  for (const size of sizes) count *= size;
  return count;
}
