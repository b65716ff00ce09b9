import { InputError, type Problem } from '../graph/problem';
import type { Initializer, Model, ModelFunction, ModelGraph, ModelNode } from './model';
import { elementCount } from './payloads';
import { capturedNames, subgraphsOf } from './scopes';
import { topologicalOrder } from './topology';

export const NEWEST_IR = 14;
/** Of one kind of problem the first few are told and the rest counted: damage tends to repeat. */
const MOST_OF_A_KIND = 3;

/** Names that a graph may read from around it. */
type Outer = (name: string) => boolean;

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
    this.graph(graph, '', () => false, undefined);
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
    if (count <= MOST_OF_A_KIND) this.problems.push({ severity, message, ...where });
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

  /** `path` names the subgraph for people: `then_branch of node 3 (If)`; `mainNode` is the main graph's node. */
  private graph(graph: ModelGraph, path: string, isOuter: Outer, mainNode: number | undefined): void {
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
      this.tensor(initializer, path, mainNode);
    }
    const defined = this.nodes(graph.nodes, given, path, isOuter, mainNode, this.model.opsets);
    for (const { name } of graph.outputs) {
      if (!defined.has(name) && !isOuter(name))
        this.tell(
          'error',
          'an output that no node makes',
          `The output "${name}"${path} is made by no node.`,
          { tensor: name },
        );
    }
    this.unused(graph, path, mainNode);
  }

  /** Checks nodes and their subgraphs; all names that are defined in the end. */
  private nodes(
    nodes: readonly ModelNode[],
    given: Set<string>,
    path: string,
    isOuter: Outer,
    mainNode: number | undefined,
    opsets: ReadonlyMap<string, number>,
  ): ReadonlySet<string> {
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
    for (const node of nodes) this.node(node, path, isDefined, mainNode ?? node.index);
    this.order(nodes, path, mainNode);
    return defined;
  }

  private node(node: ModelNode, path: string, isDefined: Outer, mainNode: number): void {
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
        this.tensor(tensor as Initializer, ` in ${nodeText(node)}${path}`, mainNode);
    }
    for (const [name, graph] of subgraphsOf(node)) {
      this.graph(graph, ` in ${name} of ${nodeText(node)}${path}`, isDefined, mainNode);
    }
  }

  private isFunction(node: ModelNode): boolean {
    return this.model.functions.some((one) => one.name === node.type && one.domain === node.domain);
  }

  private order(nodes: readonly ModelNode[], path: string, mainNode: number | undefined): void {
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

  private tensor(initializer: Initializer, path: string, mainNode: number | undefined): void {
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

  private unused(graph: ModelGraph, path: string, mainNode: number | undefined): void {
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
    const defined = this.nodes(one.nodes, new Set(one.inputs), path, () => false, 0, one.opsets);
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
    const byName = new Map(this.model.functions.map((one) => [`${one.domain}\0${one.name}`, one]));
    const state = new Map<ModelFunction, 'open' | 'done'>();
    const visit = (one: ModelFunction): void => {
      state.set(one, 'open');
      for (const node of calls(one.nodes)) {
        const called = byName.get(`${node.domain}\0${node.type}`);
        if (called === undefined || state.get(called) === 'done') continue;
        if (state.get(called) === 'open') {
          throw new InputError(
            `The function "${called.name}" calls itself, in ${nodeText(node)} of "${one.name}": such a model cannot be executed.`,
          );
        }
        visit(called);
      }
      state.set(one, 'done');
    };
    for (const one of this.model.functions) if (!state.has(one)) visit(one);
  }
}

function calls(nodes: readonly ModelNode[]): ModelNode[] {
  return nodes.flatMap((node) => [node, ...subgraphsOf(node).flatMap(([, graph]) => calls(graph.nodes))]);
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
