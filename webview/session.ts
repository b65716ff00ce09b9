import type {
  DocumentState,
  OperatorPin,
  OrderMemory,
  PlanState,
  RunProgress,
  VerificationResult,
  ViewPlan,
} from '../src/protocol/webview';
import type { GraphModel } from './graphModel';
import type { ColorMode } from './graph/look';
import type { PlanIndex } from './plan/planIndex';
import { readTheme, type Theme } from './theme';

/** What is selected or hovered, in every view alike. */
export type Target =
  | { readonly kind: 'node'; readonly node: number }
  | { readonly kind: 'wire'; readonly wire: number }
  | { readonly kind: 'tensor'; readonly tensor: number };

export type OpenedDocument = Extract<DocumentState, { kind: 'opened' }>;

/** What changed; listeners read the rest from the session. */
export type Change =
  | 'document'
  | 'graph'
  | 'scene'
  | 'plan'
  | 'theme'
  | 'look'
  | 'selection'
  | 'hover'
  | 'step'
  | 'device'
  | 'hoverDevice'
  | 'range'
  | 'pins'
  | 'progress'
  | 'verification'
  | 'tab';

export const TABS = ['graph', 'timeline', 'lifetimes', 'whatIf', 'table'] as const;
export type Tab = (typeof TABS)[number];

/** A part of the order, half-open. */
export interface StepRange {
  readonly from: number;
  readonly to: number;
}

/** The state that all views share. Views change it by `set` and hear of it by `on`. */
export class Session {
  document: DocumentState | null = null;
  planState: PlanState = { kind: 'none' };
  plan: PlanIndex | null = null;
  /** The plan of the file, also while the result of a what-if shows in its place. */
  savedPlan: ViewPlan | null = null;
  /** What the next what-if is to keep, by index in `graph.node`. */
  pins: ReadonlyMap<number, OperatorPin> = new Map();
  progress: RunProgress | null = null;
  verification: VerificationResult | null = null;
  /** From the model's graph to the body that shows; the last is shown. */
  trail: GraphModel[] = [];
  theme: Theme = readTheme();
  colorMode: ColorMode | null = null;
  /** Classes of the look that the legend has switched off. */
  hiddenClasses: ReadonlySet<number> = new Set();
  selection: Target | null = null;
  hover: Target | null = null;
  step: number | null = null;
  /** Device whose part alone is shown: chosen, or just pointed at. */
  device: number | null = null;
  hoverDevice: number | null = null;
  /** Brushed in one of the charts: the others go there, and the graph fades the rest. */
  range: StepRange | null = null;
  tab: Tab = 'graph';

  private stepsOf: { readonly memory: OrderMemory; readonly steps: Int32Array } | null = null;
  private readonly listeners = new Map<Change, (() => void)[]>();
  /** Listeners of the view that is being made late. */
  private latecomers: Set<() => void> | null = null;

  get opened(): OpenedDocument | null {
    return this.document?.kind === 'opened' ? this.document : null;
  }

  get model(): GraphModel | null {
    return this.trail[this.trail.length - 1] ?? null;
  }

  get shownDevice(): number | null {
    return this.hoverDevice ?? this.device;
  }

  get isUnsaved(): boolean {
    return this.planState.kind === 'current' && !this.planState.saved;
  }

  /** The plan belongs to the model's own graph, not to bodies. */
  get shownPlan(): PlanIndex | null {
    return this.trail.length === 1 ? this.plan : null;
  }

  /** Memory in the order that is shown: the plan's, or the model's own. */
  get memory(): OrderMemory | null {
    return this.plan?.view.memory ?? this.opened?.memory ?? null;
  }

  /** Per operator its step in that order, -1 where it has none. */
  get orderSteps(): Int32Array | null {
    const { memory } = this;
    if (memory === null) return null;
    if (this.stepsOf?.memory !== memory) {
      const steps = new Int32Array(this.opened!.graph.operators.types.length).fill(-1);
      memory.operators.forEach((op, step) => (steps[op] = step));
      this.stepsOf = { memory, steps };
    }
    return this.stepsOf.steps;
  }

  get shownColorMode(): ColorMode {
    return this.colorMode ?? (this.shownPlan === null ? 'type' : 'device');
  }

  on(changes: readonly Change[], listener: () => void): void {
    this.latecomers?.add(listener);
    for (const change of changes) {
      const known = this.listeners.get(change) ?? [];
      this.listeners.set(change, [...known, listener]);
    }
  }

  /** Makes a view that was not needed before: what it waits for has happened already, so it hears at once. */
  late<T>(make: () => T): T {
    const latecomers = new Set<() => void>();
    this.latecomers = latecomers;
    const made = make();
    this.latecomers = null;
    for (const listener of latecomers) listener();
    return made;
  }

  /** Assigns and tells; each listener hears once even where it waits for several of the changes. */
  set(values: Partial<SessionValues>, ...changes: readonly Change[]): void {
    Object.assign(this, values);
    const heard = new Set(changes.flatMap((change) => this.listeners.get(change) ?? []));
    for (const listener of heard) listener();
  }

  select(selection: Target | null): void {
    if (same(this.selection, selection)) return;
    this.set({ selection }, 'selection');
  }

  /** Keeps an operator (by index in `graph.node`) as wished in the next what-if; `null`: no wish. */
  pin(node: number, wish: OperatorPin | null): void {
    const pins = new Map(this.pins);
    if (wish === null) pins.delete(node);
    else pins.set(node, wish);
    this.set({ pins }, 'pins');
  }

  point(hover: Target | null): void {
    if (same(this.hover, hover)) return;
    this.set({ hover }, 'hover');
  }
}

type SessionValues = Pick<
  Session,
  | 'document'
  | 'planState'
  | 'plan'
  | 'progress'
  | 'verification'
  | 'trail'
  | 'theme'
  | 'colorMode'
  | 'hiddenClasses'
  | 'selection'
  | 'hover'
  | 'step'
  | 'device'
  | 'hoverDevice'
  | 'range'
  | 'savedPlan'
  | 'pins'
  | 'tab'
>;

function same(a: Target | null, b: Target | null): boolean {
  return a === b || (a !== null && b !== null && JSON.stringify(a) === JSON.stringify(b));
}
