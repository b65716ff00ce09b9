import type { AttributeValue, Attributes } from '../graph/attributes';
import { InputError, type Problem } from '../graph/problem';
import type { DeclaredType, Model, ModelFunction, ModelGraph, ModelNode, ValueInfo } from '../onnx/model';
import { functionKey } from '../onnx/scopes';
import { topologicalOrder } from '../onnx/topology';
import { reconcile, saysNothingNew } from './declared';
import {
  type BodyResult,
  countOf,
  MAX_VALUES,
  Operation,
  type Output,
  type Outputs,
  RuleError,
  sizesOf,
  UNKNOWN_TYPE,
} from './operation';
import { constantTensor, RANDOM } from './rules/generators';
import { ruleOf } from './rules/registry';
import {
  attributeOf,
  callKey,
  keepBody,
  lookUp,
  newScope,
  type Scope,
  variable,
  withoutMissing,
} from './scope';
import { fedInputs, Symbols } from './symbols';
import type { Dim, InferredGraph, InferredValue, ShapeResult, ValueType } from './types';

/** Versions taken of operator sets that are not imported: the oldest where there are no imports at all. */
const OLDEST_OPSET = 1;
const RECENT_OPSET = 24;
/** Nodes inferred inside bodies, all passes and calls together; beyond it their results stay unknown. */
const MAX_BODY_NODES = 50_000;
const MAX_DEPTH = 64;
const MAX_RANK = 64;
const MAX_PROBLEMS = 200;

/**
 * Types, shapes and small values of everything in a model: the main graph in execution order, subgraphs with
 * what they are given, functions where they are called. Dimensions stay symbolic (see `dim.ts`) and carry their
 * value under `bindings`. A node that breaks its operator's definition becomes a problem and its outputs
 * unknown; declared types fill in what inference does not know and are checked against the rest.
 * Throws `InputError` only where the nodes depend on each other in a cycle.
 */
export function inferShapes(
  model: Model,
  options: { readonly bindings: ReadonlyMap<string, number> },
): ShapeResult {
  const run = new Inference(model, options.bindings);
  const main = run.main();
  return { main, symbols: run.symbols.found, problems: run.problems };
}

interface CallResult {
  readonly body: InferredGraph;
  readonly problems: readonly Problem[];
  readonly isVariable: boolean;
}

class Inference {
  readonly symbols: Symbols;
  readonly problems: Problem[] = [];
  private readonly functions: ReadonlyMap<string, ModelFunction>;
  private readonly active = new Set<ModelFunction>();
  /** Bodies are gone through again and again. */
  private readonly orders = new Map<readonly ModelNode[], readonly number[]>();
  /** Calls of a function with the same of everything give the same. */
  private readonly calls = new Map<string, CallResult>();
  private bodyNodes = 0;
  private untold = 0;

  constructor(
    private readonly model: Model,
    bindings: ReadonlyMap<string, number>,
  ) {
    this.symbols = new Symbols(bindings);
    this.functions = new Map(
      model.functions.map((one) => [functionKey(one.domain, one.name, one.overload), one]),
    );
  }

  main(): InferredGraph {
    const { graph } = this.model;
    const scope = newScope({ opsets: this.model.opsets, depth: 0 });
    for (const input of fedInputs(graph))
      scope.values.set(input.name, variable({ type: this.symbols.ofInput(input.name, input.type) }));
    const declared = declarations([...graph.valueInfo, ...graph.outputs]);
    const result = this.graph(graph, scope, declared);
    this.tell(scope.problems);
    return result;
  }

  private tell(problems: readonly Problem[]): void {
    this.problems.push(...problems.slice(0, MAX_PROBLEMS));
    const more = this.untold + Math.max(0, problems.length - MAX_PROBLEMS);
    if (more > 0)
      this.problems.push({
        severity: 'info',
        message: `${more} more problems of shapes and types are not listed.`,
      });
  }

  /** Expects the inputs in `scope.values`. */
  private graph(graph: ModelGraph, scope: Scope, declared: Declarations): InferredGraph {
    for (const initializer of graph.initializers)
      scope.values.set(initializer.name, { ...checked(constantTensor(initializer)), isConstant: true });
    const order = this.order(graph.nodes);
    for (const at of order) this.node(graph.nodes[at], scope, declared);
    return { values: scope.values, order, bodies: scope.bodies };
  }

  private order(nodes: readonly ModelNode[]): readonly number[] {
    const order = this.orders.get(nodes) ?? executionOrder(nodes);
    this.orders.set(nodes, order);
    return order;
  }

  private node(node: ModelNode, scope: Scope, declared: Declarations): void {
    if (scope.depth > 0) this.bodyNodes++;
    const inputs = node.inputs.map((name) => (name === '' ? undefined : (lookUp(scope, name) ?? NOBODYS)));
    const variableBefore = scope.isVariable;
    scope.isVariable = false;
    const outputs = this.outputs(node, inputs, scope);
    const isConstant =
      !scope.isVariable &&
      inputs.every((input) => input === undefined || input.isConstant) &&
      this.isKnown(node);
    scope.isVariable ||= variableBefore;
    for (const [at, name] of node.outputs.entries()) {
      if (name === '') continue;
      // Of a name that is made twice (the reader has told) the first stands.
      if (!scope.values.has(name))
        scope.values.set(name, this.settled(node, name, outputs[at], isConstant, scope, declared));
    }
  }

  /** An operator that nobody knows here may do anything, also read a clock. */
  private isKnown(node: ModelNode): boolean {
    return (
      ruleOf(node.domain, node.type) !== undefined ||
      this.functions.has(functionKey(node.domain, node.type, node.overload))
    );
  }

  private settled(
    node: ModelNode,
    name: string,
    output: Output | undefined,
    isConstant: boolean,
    scope: Scope,
    declared: Declarations,
  ): InferredValue {
    const ours = output && checked(output);
    const claim = declared.get(name);
    if (claim === undefined || (ours !== undefined && saysNothingNew(ours.type, claim)))
      return { ...(ours ?? { type: UNKNOWN_TYPE }), isConstant };
    const { type, contradiction } = reconcile(ours?.type, this.symbols.ofInner(claim));
    if (contradiction !== undefined)
      this.report(scope, node, `makes '${name}', ${contradiction}`, name, 'warning');
    if (scope.depth > 0 || isComplete(type)) return { ...ours, type, isConstant };
    // Sizes that nothing determines and the file alone has names for: the user may bind those as well.
    return { ...ours, type: reconcile(type, this.symbols.ofValue(claim)).type, isConstant };
  }

  private outputs(node: ModelNode, inputs: readonly (InferredValue | undefined)[], scope: Scope): Outputs {
    const called = this.functions.get(functionKey(node.domain, node.type, node.overload));
    const rule = ruleOf(node.domain, node.type);
    if (node.domain === '' && RANDOM.has(node.type)) scope.isVariable = true;
    try {
      if (called !== undefined) return this.call(node, called, inputs, scope);
      if (rule === undefined) return [];
      return this.apply(node, inputs, scope, rule);
    } catch (error) {
      if (error instanceof InputError) throw error;
      const reason =
        error instanceof RuleError ? error.message : 'its inputs and attributes make no sense together';
      this.report(scope, node, `cannot run: ${reason}`);
      return [];
    }
  }

  private apply(
    node: ModelNode,
    inputs: readonly (InferredValue | undefined)[],
    scope: Scope,
    rule: (operation: Operation) => Outputs,
  ): Outputs {
    let problems: Map<string, readonly Problem[]> | undefined;
    const attribute = (name: string) => attributeOf(node, name, scope);
    const infer = (
      name: string,
      graph: ModelGraph,
      given: readonly (InferredValue | undefined)[],
    ): BodyResult => {
      const inner = this.innerScope(node, scope, { opsets: scope.opsets, call: scope.call, outer: scope });
      const result = this.body(graph, inner, given);
      keepBody(scope, node, name, result.graph);
      (problems ??= new Map()).set(name, inner.problems);
      scope.isVariable ||= inner.isVariable;
      return result;
    };
    const version = this.version(node.domain, scope);
    const outputs = rule(
      new Operation(node, version, inputs, attribute, { infer, acquit: (name) => problems?.delete(name) }),
    );
    for (const found of problems?.values() ?? []) scope.problems.push(...found);
    return outputs;
  }

  private body(graph: ModelGraph, scope: Scope, given: readonly (InferredValue | undefined)[]): BodyResult {
    const declared = declarations([...graph.valueInfo, ...graph.outputs]);
    for (const [at, input] of graph.inputs.entries())
      scope.values.set(input.name, this.formalInput(given[at], input));
    const inferred = this.graph(graph, scope, declared);
    const outputs = graph.outputs.map(({ name }) => lookUp(scope, name));
    return { graph: inferred, outputs };
  }

  private formalInput(given: InferredValue | undefined, input: ValueInfo): InferredValue {
    const { type } = reconcile(given?.type, this.symbols.ofInner(input.type));
    return { ...given, type, isConstant: given?.isConstant ?? false };
  }

  /** A function's body with the call's inputs and attributes; it sees nothing else of the caller. */
  private call(
    node: ModelNode,
    called: ModelFunction,
    inputs: readonly (InferredValue | undefined)[],
    scope: Scope,
  ): Outputs {
    if (this.active.has(called)) throw new RuleError(`its function '${called.name}' calls itself`);
    const attributes = new Map<string, AttributeValue>(called.attributeDefaults);
    for (const name of node.attributes.keys()) {
      const value = attributeOf(node, name, scope);
      if (value !== undefined) attributes.set(name, value);
    }
    const key = callKey(called, inputs, attributes);
    const before = key === undefined ? undefined : this.calls.get(key);
    const result = before ?? this.callOnce(node, called, inputs, attributes, scope);
    if (key !== undefined && result.problems.length === 0) this.calls.set(key, result);
    keepBody(scope, node, 'body', result.body);
    scope.problems.push(...result.problems);
    scope.isVariable ||= result.isVariable;
    return called.outputs.map((name) => result.body.values.get(name));
  }

  private callOnce(
    node: ModelNode,
    called: ModelFunction,
    inputs: readonly (InferredValue | undefined)[],
    attributes: Attributes,
    scope: Scope,
  ): CallResult {
    const inner = this.innerScope(node, scope, { opsets: called.opsets, call: attributes, outer: undefined });
    for (const [at, name] of called.inputs.entries()) {
      const given = inputs[at];
      if (given !== undefined) inner.values.set(name, given);
    }
    this.active.add(called);
    try {
      const order = this.order(called.nodes);
      const declared = declarations(called.valueInfo);
      const formals = new Set(called.inputs);
      for (const at of order) this.node(withoutMissing(called.nodes[at], formals, inner), inner, declared);
      const body = { values: inner.values, order, bodies: inner.bodies };
      return { body, problems: inner.problems, isVariable: inner.isVariable };
    } finally {
      this.active.delete(called);
    }
  }

  private innerScope(node: ModelNode, scope: Scope, own: Pick<Scope, 'opsets' | 'call' | 'outer'>): Scope {
    if (scope.depth >= MAX_DEPTH) throw new RuleError(`it lies more than ${MAX_DEPTH} bodies deep`);
    if (this.bodyNodes > MAX_BODY_NODES) throw new RuleError('its body is too much work to infer');
    return newScope({ ...own, depth: scope.depth + 1, mainNode: scope.mainNode ?? node.index });
  }

  private version(domain: string, scope: Scope): number {
    const imported = scope.opsets.get(domain) ?? this.model.opsets.get(domain);
    if (imported !== undefined || this.model.opsets.size === 0) return imported ?? OLDEST_OPSET;
    return domain === '' ? RECENT_OPSET : OLDEST_OPSET;
  }

  private report(
    scope: Scope,
    node: ModelNode,
    what: string,
    tensor?: string,
    severity: Problem['severity'] = 'error',
  ): void {
    if (scope.problems.length >= MAX_PROBLEMS) {
      this.untold++;
      return;
    }
    const name = node.name ? ` '${node.name}'` : '';
    const where = scope.mainNode === undefined ? '' : ` (inside node ${scope.mainNode})`;
    const message = `Node ${node.index}${name} (${node.type})${where} ${what}.`;
    scope.problems.push({ severity, message, node: scope.mainNode ?? node.index, tensor });
  }
}

/** Stands for a name that nothing makes; the reader has told of it. */
const NOBODYS = variable({ type: UNKNOWN_TYPE });

/** What the file says of a value, by name. */
type Declarations = ReadonlyMap<string, DeclaredType>;

function declarations(infos: readonly ValueInfo[]): Declarations {
  return new Map(infos.map(({ name, type }) => [name, type]));
}

const NAMED_IN_CYCLE = 4;

/** The reader has told of nodes that are out of order. */
function executionOrder(nodes: readonly ModelNode[]): readonly number[] {
  const topology = topologicalOrder(nodes);
  if (topology.kind === 'cycle') throw cycleError(topology.nodes.map((at) => nodes[at]));
  return topology.order;
}

function cycleError(nodes: readonly ModelNode[]): InputError {
  const names = nodes.slice(0, NAMED_IN_CYCLE).map((node) => `node ${node.index} (${node.type})`);
  const more = nodes.length > NAMED_IN_CYCLE ? ` and ${nodes.length - NAMED_IN_CYCLE} more` : '';
  const read = nodes.length === 1 ? 'reads its own result' : "read each other's results";
  return new InputError(
    `The graph has a cycle: ${names.join(', ')}${more} ${read}, so no order of execution exists.`,
  );
}

function isComplete(type: ValueType): boolean {
  if (type.kind !== 'tensor' && type.kind !== 'sparse') return type.kind !== 'unknown';
  return type.shape !== undefined && !type.shape.includes(undefined);
}

/** Drops what cannot be: negative or inexact sizes, monstrous ranks, values that do not match the shape. */
function checked(output: Output): Output {
  const { type, values, elements } = output;
  if (type.kind !== 'tensor' && type.kind !== 'sparse')
    return elements === undefined ? { type } : { type, elements };
  if (type.shape === undefined) return { type };
  const shape = type.shape.length > MAX_RANK ? undefined : cleaned(type.shape);
  const plain = shape === type.shape ? type : { ...type, shape };
  const sizes = values && sizesOf(shape);
  const keep = sizes !== undefined && values!.length <= MAX_VALUES && values!.length === countOf(sizes);
  return keep ? { type: plain, values } : { type: plain };
}

function cleaned(shape: readonly Dim[]): readonly Dim[] {
  if (shape.every(isSize)) return shape;
  return shape.map((dim) => (isSize(dim) ? dim : undefined));
}

function isSize(dim: Dim): boolean {
  const size = typeof dim === 'object' ? dim.value : dim;
  return size === undefined || (Number.isSafeInteger(size) && size >= 0);
}
