import type { DocumentState, PlanState, RunProgress, VerificationResult } from '../src/protocol/webview';
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
  | 'progress'
  | 'verification'
  | 'tab';

export const TABS = ['graph', 'timeline', 'lifetimes', 'table'] as const;
export type Tab = (typeof TABS)[number];

/** The state that all views share. Views change it by `set` and hear of it by `on`. */
export class Session {
  document: DocumentState | null = null;
  planState: PlanState = { kind: 'none' };
  plan: PlanIndex | null = null;
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
  /** Device whose part alone is shown. */
  device: number | null = null;
  tab: Tab = 'graph';

  private readonly listeners = new Map<Change, (() => void)[]>();

  get opened(): OpenedDocument | null {
    return this.document?.kind === 'opened' ? this.document : null;
  }

  get model(): GraphModel | null {
    return this.trail[this.trail.length - 1] ?? null;
  }

  /** The plan belongs to the model's own graph, not to bodies. */
  get shownPlan(): PlanIndex | null {
    return this.trail.length === 1 ? this.plan : null;
  }

  get shownColorMode(): ColorMode {
    return this.colorMode ?? (this.shownPlan === null ? 'type' : 'device');
  }

  on(changes: readonly Change[], listener: () => void): void {
    for (const change of changes) {
      const known = this.listeners.get(change) ?? [];
      this.listeners.set(change, [...known, listener]);
    }
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
  | 'tab'
>;

function same(a: Target | null, b: Target | null): boolean {
  return a === b || (a !== null && b !== null && JSON.stringify(a) === JSON.stringify(b));
}
