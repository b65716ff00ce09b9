import { bodyGraph, bodyNames, nodesInside, type BodyStep } from '../core/analysis/bodyGraph';
import { functionTable } from '../core/analysis/source';
import { parseCluster } from '../core/cluster/parse';
import { smartHome } from '../core/cluster/smartHome';
import type { Graph, Operator } from '../core/graph/graph';
import { InputError } from '../core/graph/problem';
import type { OperatorId, TensorId } from '../core/graph/units';
import { MemoryByteSource } from '../core/onnx/byteSources';
import type { ModelNode } from '../core/onnx/model';
import { partitionRules } from '../core/partition/rules';
import { deviceMemory } from '../core/plan/check';
import { parsePlan } from '../core/plan/codec';
import type { Plan } from '../core/plan/plan';
import { replayedIn } from '../core/plan/replayed';
import {
  analyzeFile,
  analyzeModel,
  analyzeStructure,
  type Analysis,
  type AnalysisOptions,
} from '../engine/analyze';
import type {
  BodyGraph,
  CostAnalysis,
  DeviceHoldings,
  GraphId,
  OperatorDetails,
  PlanReplay,
  PlanState,
  TensorDetails,
} from '../protocol/webview';
import type { ModelSource, OpenedModel, OpenRequest } from '../protocol/worker';
import { CostAnalyzer } from './costAnalysis';
import { operatorDetails, tensorDetails } from './details';
import { deviceHoldingsOf } from './holdings';
import { findPlan, planState, type FoundPlan } from './openPlan';
import { modelProperties } from './properties';
import { orderMemory } from './orderMemory';
import { viewGraph, type BodiesOf } from './viewGraph';

/** A graph that the view shows: the main graph, or a body with the way to it. */
interface ShownGraph {
  readonly graph: Graph;
  readonly trail: readonly BodyStep[];
}

/** A model that has been read, with its plan: what the detail requests of one editor speak of. */
export class OpenModel {
  /** By `GraphId`: the main graph first, bodies as they are asked for. */
  private readonly shown: ShownGraph[];
  private costs: CostAnalyzer | undefined;
  /** A plan that is shown in the saved one's place. */
  private unsaved: Plan | undefined;

  private constructor(
    readonly name: string,
    readonly analysis: Analysis,
    private readonly found: FoundPlan,
  ) {
    this.shown = [{ graph: analysis.graph, trail: [] }];
  }

  /** Reads model and plan; the graph follows the rules and bindings of a current plan, else the request's. */
  static read(request: OpenRequest): OpenModel {
    const wanted = { bindings: bindingsOf(request.bindings), fuse: request.fuse };
    const analysis = readModelFrom(request.model, wanted);
    const found = findPlan(request, analysis.model);
    const ruled = found.kind === 'current' ? underPlan(analysis, found.plan, wanted) : analysis;
    return new OpenModel(modelName(request.model), ruled, found);
  }

  /** The plan that is shown, if there is one. */
  get plan(): Plan | undefined {
    if (this.unsaved !== undefined) return this.unsaved;
    return this.found.kind === 'current' ? this.found.plan : undefined;
  }

  get graph(): Graph {
    return this.analysis.graph;
  }

  /** What the editor shows first. */
  state({ inPlace }: Pick<OpenRequest, 'inPlace'>): OpenedModel {
    const { model, shapes, problems, graph } = this.analysis;
    return {
      document: {
        kind: 'opened',
        fileName: this.name,
        graph: viewGraph(graph, 0, model.graph.name, this.bodiesOf(model.graph.nodes)),
        properties: modelProperties(model, graph),
        problems,
        dimensions: [...shapes.symbols].map(([name, value]) => ({ name, value: value ?? null })),
        memory: orderMemory(
          graph,
          graph.operators.map(({ id }) => id),
          this.plan?.options.inPlace ?? inPlace,
        ),
      },
      plan: planState(this.found, graph, true),
    };
  }

  operatorDetails(operator: OperatorId, graph: GraphId): OperatorDetails {
    const shown = this.shownGraph(graph);
    const found = operatorOf(shown.graph, operator);
    return operatorDetails(shown.graph, found, this.nodesAt(shown.trail)[found.index]);
  }

  tensorDetails(tensor: TensorId, graph: GraphId): TensorDetails {
    const shown = this.shownGraph(graph);
    if (shown.graph.tensors[tensor] === undefined) throw new InputError(`There is no tensor ${tensor}.`);
    const isMain = shown.trail.length === 0;
    return tensorDetails(shown.graph, tensor, isMain ? this.analysis.model.graph.initializers : []);
  }

  /** On the plan's cluster, or the built-in one. */
  costAnalysis(operator: OperatorId): CostAnalysis {
    operatorOf(this.graph, operator);
    this.costs ??= new CostAnalyzer(this.graph, this.plan ? parseCluster(this.plan.cluster) : smartHome());
    return this.costs.analyze(operator);
  }

  /** The shown plan in the latency model that is not its own. */
  replay(): PlanReplay {
    const plan = this.currentPlan();
    const other = plan.latency.model === 'overlapped' ? 'synchronous' : 'overlapped';
    const rules = partitionRules(this.graph);
    const replayed = replayedIn(other, this.graph, rules, plan);
    return { plan: replayed, deviceMemory: deviceMemory(this.graph, rules, replayed) ?? [] };
  }

  holdings(): readonly DeviceHoldings[] {
    return deviceHoldingsOf(this.currentPlan(), this.graph);
  }

  /** Shows a plan that is not saved in the place of the one that was found; `null`: that one again. */
  showPlan(text: string | null): PlanState {
    this.unsaved = text === null ? undefined : parsePlan(text);
    this.costs = undefined;
    if (this.unsaved === undefined) return planState(this.found, this.graph, true);
    const name = this.found.kind === 'none' ? '' : this.found.name;
    return planState({ kind: 'current', name, plan: this.unsaved }, this.graph, false);
  }

  private currentPlan(): Plan {
    if (this.plan === undefined) throw new InputError('The model has no plan.');
    return this.plan;
  }

  body(operator: OperatorId, graph: GraphId, body: string): BodyGraph {
    const around = this.shownGraph(graph);
    const found = operatorOf(around.graph, operator);
    const trail = [...around.trail, { node: found.index, body }];
    const inner = bodyGraph(this.analysis.model, this.analysis.shapes, trail);
    if (inner === undefined)
      throw new InputError(`Nothing is known of the body "${body}" of ${describe(found)}.`);
    const id = this.shown.push({ graph: inner, trail }) - 1;
    const title = `${describe(found)} · ${body}`;
    return { graph: viewGraph(inner, id, title, this.bodiesOf(this.nodesAt(trail))), title };
  }

  private shownGraph(id: GraphId): ShownGraph {
    const shown = this.shown[id];
    if (shown === undefined) throw new InputError(`There is no graph ${id}.`);
    return shown;
  }

  private bodiesOf(nodes: readonly ModelNode[]): BodiesOf {
    const functions = functionTable(this.analysis.model);
    return ({ index }) => bodyNames(nodes[index], functions);
  }

  private nodesAt(trail: readonly BodyStep[]): readonly ModelNode[] {
    return nodesInside(this.analysis.model, trail);
  }
}

function operatorOf(graph: Graph, id: OperatorId): Operator {
  const operator = graph.operators[id];
  if (operator === undefined) throw new InputError(`There is no operator ${id}.`);
  return operator;
}

function describe({ type, name, index }: Operator): string {
  return name === '' ? `${type} ${index}` : `${type} "${name}"`;
}

export function bindingsOf(bindings: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(bindings));
}

export function modelName(source: ModelSource): string {
  return source.kind === 'file' ? source.path.slice(source.path.search(/[^/\\]*$/)) : source.name;
}

function readModelFrom(source: ModelSource, options: AnalysisOptions): Analysis {
  if (source.kind === 'bytes') return analyzeModel(new MemoryByteSource(source.bytes), options);
  return analyzeFile(source.path, options);
}

/** A plan speaks of the graph under its own fusion rule and bindings. */
function underPlan(analysis: Analysis, plan: Plan, wanted: AnalysisOptions): Analysis {
  const bindings = new Map([...wanted.bindings, ...Object.entries(plan.model.bindings)]);
  const same = plan.options.fuse === wanted.fuse && bindings.size === wanted.bindings.size;
  const unchanged = same && [...bindings].every(([name, size]) => wanted.bindings.get(name) === size);
  return unchanged ? analysis : analyzeStructure(analysis.model, { bindings, fuse: plan.options.fuse });
}
