import type { AttributeValue, Attributes } from '../graph/attributes';
import type { Problem } from '../graph/problem';
import type { ModelFunction, ModelNode } from '../onnx/model';
import type { Output } from './operation';
import type { InferredGraph, InferredValue, ValueType } from './types';

/** One graph being inferred: its values, and where names and attributes that it lacks come from. */
export interface Scope {
  readonly values: Map<string, InferredValue>;
  readonly outer: Scope | undefined;
  readonly opsets: ReadonlyMap<string, number>;
  /** Attributes of the call, inside a function. */
  readonly call: Attributes | undefined;
  readonly bodies: Map<number, Map<string, InferredGraph>>;
  readonly problems: Problem[];
  readonly depth: number;
  /** Index of the node of the main graph that this is in. */
  readonly mainNode: number | undefined;
  /** It reads a value from outside that is no constant, or makes a random one. */
  isVariable: boolean;
}

export function newScope(own: Partial<Scope> & Pick<Scope, 'opsets' | 'depth'>): Scope {
  return {
    values: new Map(),
    outer: undefined,
    call: undefined,
    bodies: new Map(),
    problems: [],
    mainNode: undefined,
    isVariable: false,
    ...own,
  };
}

/** A value by name, from the innermost graph that has it; reading a variable from outside marks the way. */
export function lookUp(scope: Scope, name: string): InferredValue | undefined {
  const own = scope.values.get(name);
  if (own !== undefined || scope.outer === undefined) return own;
  const found = lookUp(scope.outer, name);
  if (found !== undefined && !found.isConstant) scope.isVariable = true;
  return found;
}

export function keepBody(scope: Scope, node: ModelNode, name: string, body: InferredGraph): void {
  const all = scope.bodies.get(node.index) ?? new Map<string, InferredGraph>();
  scope.bodies.set(node.index, all.set(name, body));
}

/** Inside a function an attribute may refer to one of the call; without that it is absent. */
export function attributeOf(node: ModelNode, name: string, scope: Scope): AttributeValue | undefined {
  const found = node.attributes.get(name);
  return found?.kind === 'reference' ? scope.call?.get(found.name) : found;
}

/** A formal input that the call leaves out is absent wherever the body reads it. */
export function withoutMissing(node: ModelNode, formals: ReadonlySet<string>, scope: Scope): ModelNode {
  const isMissing = (name: string) => formals.has(name) && !scope.values.has(name);
  if (!node.inputs.some(isMissing)) return node;
  return { ...node, inputs: node.inputs.map((name) => (isMissing(name) ? '' : name)) };
}

export function variable(output: Output): InferredValue {
  return { ...output, isConstant: false };
}

/**
 * Everything that the result of a call depends on, as text; `undefined` where that cannot be told (graphs and
 * tensors as attributes, sequences that are followed element by element).
 */
export function callKey(
  called: ModelFunction,
  inputs: readonly (InferredValue | undefined)[],
  attributes: Attributes,
): string | undefined {
  const parts = [called.domain, called.name, called.overload];
  for (const [name, attribute] of attributes) {
    if (!KEYED.has(attribute.kind)) return undefined;
    parts.push(`${name}:${attribute.kind}=${String((attribute as { value?: unknown }).value)}`);
  }
  for (const input of inputs) {
    if (input?.elements !== undefined) return undefined;
    parts.push(
      input === undefined ? '' : `${typeKey(input.type)}${dimsKey(input.values)}${input.isConstant}`,
    );
  }
  return parts.join('\n');
}

const KEYED: ReadonlySet<AttributeValue['kind']> = new Set(['int', 'float', 'string', 'ints', 'floats']);

function typeKey(type: ValueType): string {
  switch (type.kind) {
    case 'tensor':
    case 'sparse':
      return `${type.kind} ${type.type}${dimsKey(type.shape)}`;
    case 'sequence':
    case 'optional':
      return `${type.kind}(${typeKey(type.element)})`;
    case 'map':
      return `map ${type.keyType}(${typeKey(type.value)})`;
    default:
      return type.kind;
  }
}

function dimsKey(dims: InferredValue['values']): string {
  return dims === undefined
    ? '?'
    : `[${dims.map((dim) => (typeof dim === 'object' ? dim.text : dim)).join()}]`;
}
