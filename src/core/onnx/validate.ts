import { InputError, type Problem } from '../graph/problem';
import { NONE } from '../graph/units';
import type { Initializer, Model, ModelFunction, ModelGraph, ModelNode } from './model';
import { elementCount } from './payloads';
import { capturedNames, functionKey, subgraphsOf } from './scopes';
import { depthFirstOrder, topologicalOrder } from './topology';

export const NEWEST_IR = 14;
/** Of one kind of problem the first few are told and the rest counted: damage tends to repeat. */
const MOST_OF_A_KIND = 3;

/** Names that a graph may read from around it. */
type Outer = (name: string) => boolean;

/** Where a graph stands. */
interface Place {
  /** For people: empty for the main graph, ` in then_branch of node 3 (If)`. */
  readonly path: string;
  /** The main graph's node that it is in; `undefined` for the main graph, `NONE` in a function. */
  readonly mainNode: number | undefined;
  readonly opsets: ReadonlyMap<string, number>;
}

/**
 * What is wrong or noteworthy in a decoded model, structure only (shapes are checked by inference).
 * Throws `InputError` where nodes read each other in a ring, since nothing can be said about such a graph.
 */
export function validateModel(model: Model): Problem[] {
  return new Validator(model).run();
}

/** `node 3 (Conv "conv1")`. */
export function nodeText(node: ModelNode): string {
  return `node ${node.index} (${node.type}${node.name === '' ? '' : ` "${node.name}"`})`;
}

class Validator {
  private readonly problems: Problem[] = [];
  private readonly counts = new Map<string, number>();

  constructor(private readonly model: Model) {}

  run(): Problem[] {
    const { graph, functions } = this.model;
    this.header();
    this.graph(graph, { path: '', mainNode: undefined, opsets: this.model.opsets }, () => false);
    for (const one of functions) this.functionBody(one);
    this.recursion();
    for (const [kind, count] of this.counts) {
      if (count > MOST_OF_A_KIND)
        this.problems.push({
          severity: 'info',
          message: `${count - MOST_OF_A_KIND} more of the same kind: ${kind}.`,
        });
    }
    return this.problems;
  }

  private tell(
    severity: Problem['severity'],
    kind: string,
    message: string,
    where: Partial<Problem> = {},
  ): void {
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    if (count > MOST_OF_A_KIND) return;
    const { node, ...rest } = where;
    const atNode = node !== undefined && node !== NONE;
    this.problems.push({ severity, message, ...rest, ...(atNode && { node }) });
  }

  private header(): void {
    const { irVersion, opsets } = this.model;
    if (irVersion > NEWEST_IR) {
      this.tell(
        'warning',
        'version',
        `The file is of IR version ${irVersion}; ${NEWEST_IR} is the newest known here, so newer parts of it are ignored.`,
      );
    } else if (irVersion < 1)
      this.tell('error', 'version', 'The file does not say its IR version: it is no valid model.');
    if (irVersion >= 3 && opsets.size === 0) {
      this.tell(
        'error',
        'opset',
        'The model imports no operator set (opset_import is missing): the meaning of its operators is not defined, and their oldest version is assumed.',
      );
    }
    for (const [domain, version] of opsets) {
      if (version < 1)
        this.tell(
          'error',
          'opset',
          `The model imports version ${version} of the operator set "${domain || 'ai.onnx'}", which does not exist.`,
        );
    }
  }

  private graph(graph: ModelGraph, place: Place, isOuter: Outer): void {
    const { path } = place;
    const given = new Set<string>();
    for (const { name } of graph.inputs) {
      if (given.has(name))
        this.tell('error', 'repeated input', `The input "${name}"${path} is listed twice.`, { tensor: name });
      given.add(name);
    }
    const weights = new Set<string>();
    for (const initializer of graph.initializers) {
      if (weights.has(initializer.name)) {
        this.tell(
          'error',
          'repeated initializer',
          `The initializer "${initializer.name}"${path} is there twice; the last one counts.`,
          { tensor: initializer.name },
        );
      }
      weights.add(initializer.name);
      given.add(initializer.name);
      this.tensor(initializer, place);
    }
    const defined = this.nodes(graph.nodes, given, place, isOuter);
    for (const { name } of graph.outputs) {
      if (!defined.has(name) && !isOuter(name))
        this.tell(
          'error',
          'an output that no node makes',
          `The output "${name}"${path} is made by no node.`,
          { tensor: name },
        );
    }
    this.unused(graph, place);
  }

  /** Checks nodes and their subgraphs; all names that are defined in the end. */
  private nodes(
    nodes: readonly ModelNode[],
    given: ReadonlySet<string>,
    place: Place,
    isOuter: Outer,
  ): ReadonlySet<string> {
    const { path, mainNode, opsets } = place;
    const defined = new Set(given);
    for (const node of nodes) {
      const where = { node: mainNode ?? node.index };
      for (const name of node.outputs) {
        if (name === '') continue;
        if (defined.has(name)) {
          this.tell(
            'error',
            'a name that is made twice',
            `The tensor "${name}" that ${nodeText(node)}${path} makes exists already: each name may be made once.`,
            { ...where, tensor: name },
          );
        }
        defined.add(name);
      }
      if (node.type === '')
        this.tell('error', 'no type', `Node ${node.index}${path} has no operator type.`, where);
      else if (!opsets.has(node.domain) && opsets.size > 0 && !this.isFunction(node)) {
        this.tell(
          'warning',
          'an operator set that is not imported',
          `The operator set "${node.domain || 'ai.onnx'}" of ${nodeText(node)}${path} is not imported by the model.`,
          where,
        );
      }
    }
    const isDefined: Outer = (name) => defined.has(name) || isOuter(name);
    for (const node of nodes) this.node(node, { ...place, mainNode: mainNode ?? node.index }, isDefined);
    this.order(nodes, place);
    return defined;
  }

  private node(node: ModelNode, place: Place, isDefined: Outer): void {
    const { path, mainNode } = place;
    for (const name of node.inputs) {
      if (name !== '' && !isDefined(name)) {
        this.tell(
          'error',
          'an input that nothing makes',
          `${capital(nodeText(node))}${path} reads "${name}", which nothing makes.`,
          { node: mainNode, tensor: name },
        );
      }
    }
    for (const attribute of node.attributes.values()) {
      const tensors =
        attribute.kind === 'tensor' ? [attribute.value] : attribute.kind === 'tensors' ? attribute.value : [];
      for (const tensor of tensors)
        this.tensor(tensor as Initializer, { ...place, path: ` in ${nodeText(node)}${path}` });
    }
    for (const [name, graph] of subgraphsOf(node)) {
      this.graph(graph, { ...place, path: ` in ${name} of ${nodeText(node)}${path}` }, isDefined);
    }
  }

  private isFunction(node: ModelNode): boolean {
    return this.model.functions.some((one) => one.name === node.type && one.domain === node.domain);
  }

  private order(nodes: readonly ModelNode[], { path, mainNode }: Place): void {
    const topology = topologicalOrder(nodes);
    if (topology.kind === 'cycle') {
      const ring = topology.nodes.map((index) => nodeText(nodes[index]));
      const shown =
        ring.length > 4
          ? `${ring.slice(0, 3).join(' <- ')} <- ... (${ring.length} nodes)`
          : ring.join(' <- ');
      throw new InputError(`The graph has a cycle${path}, so it cannot be executed: ${shown} <- ${ring[0]}.`);
    }
    if (topology.isFileOrder) return;
    const first = topology.order.findIndex((index, position) => index !== position);
    this.tell(
      'warning',
      'nodes out of order',
      `The nodes${path} are not in topological order, from node ${first} on; they were put in order.`,
      { node: mainNode ?? first },
    );
  }

  private tensor(initializer: Initializer, { path, mainNode }: Place): void {
    const { name, type, dims, bytes, payload } = initializer;
    const where = { tensor: name, node: mainNode };
    const what = `The tensor "${name}"${path}`;
    if (type === undefined)
      this.tell(
        'error',
        'an unknown element type',
        `${what} has an element type that ONNX does not have.`,
        where,
      );
    else if (elementCount(dims) === undefined) {
      this.tell(
        'error',
        'an impossible shape',
        `${what} has the impossible shape [${dims.join(', ')}].`,
        where,
      );
    } else if (payload.kind === 'raw' && bytes !== undefined && payload.length !== bytes) {
      const message = `${what} holds ${payload.length} bytes at byte ${payload.offset} of the file, but its shape [${dims.join(', ')}] of ${type} needs ${bytes}.`;
      this.tell('warning', 'data of another length than the shape needs', message, {
        ...where,
        offset: payload.offset,
      });
    } else if (payload.kind === 'none' && bytes !== undefined && bytes > 0) {
      this.tell('warning', 'no data in the file', `${what} has no data in the file.`, where);
    }
  }

  private unused(graph: ModelGraph, { path, mainNode }: Place): void {
    const read = new Set<string>(graph.outputs.map((output) => output.name));
    for (const node of graph.nodes) {
      for (const name of node.inputs) read.add(name);
      for (const name of capturedNames(node)) read.add(name);
    }
    const idle = graph.nodes.filter((node) => !node.outputs.some((name) => read.has(name)));
    if (idle.length === 0) return;
    const who =
      idle.length === 1
        ? `${capital(nodeText(idle[0]))}${path} computes`
        : `${idle.length} nodes${path}, the first ${nodeText(idle[0])}, compute`;
    this.tell('info', 'results that nobody uses', `${who} something that nobody uses.`, {
      node: mainNode ?? idle[0].index,
    });
  }

  private functionBody(one: ModelFunction): void {
    const path = ` in function "${one.name}"`;
    const place: Place = { path, mainNode: NONE, opsets: one.opsets };
    const defined = this.nodes(one.nodes, new Set(one.inputs), place, () => false);
    for (const name of one.outputs) {
      if (!defined.has(name))
        this.tell(
          'error',
          'an output that no node makes',
          `The output "${name}"${path} is made by no node.`,
          { tensor: name },
        );
    }
  }

  /** Functions must not call themselves, neither directly nor through others. */
  private recursion(): void {
    const { functions } = this.model;
    const indices = new Map(functions.map((one, i) => [functionKey(one.domain, one.name, one.overload), i]));
    const called = functions.map((one) =>
      calls(one.nodes)
        .map((node) => indices.get(functionKey(node.domain, node.type, node.overload)))
        .filter((index) => index !== undefined),
    );
    const topology = depthFirstOrder(called);
    if (topology.kind === 'order') return;
    const names = topology.nodes.map((index) => `"${functions[index].name}"`);
    const through = names.length > 1 ? ` through ${names.slice(1, 4).join(', ')}` : '';
    throw new InputError(`The function ${names[0]} calls itself${through}: such a model cannot be executed.`);
  }
}

function calls(nodes: readonly ModelNode[]): ModelNode[] {
  return nodes.flatMap((node) => [node, ...subgraphsOf(node).flatMap(([, graph]) => calls(graph.nodes))]);
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
