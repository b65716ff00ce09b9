/**
 * The synchronous bound can start in several ways, and which is best shows after a while: each gets a part of the work,
 * and the most promising one the rest. Those with joins and those without may run on threads of their own.
 */
import { NONE, type Nanoseconds } from '../../graph/units';
import { BoxBound, NOTHING_PROVEN, type BoundStart, type LatencyBound } from './boxBound';
import { Interrupted } from './elimination';
import { isMemoryShort, memoryPrices } from './memoryPrices';
import { PhaseLinks } from './phaseLinks';
import type { RefineLimits } from './refine';
import { findRelays } from './relays';
import type { BoundScene } from './scene';

/** Whether sums and concatenations are left out (`relays.ts`). */
export const WAYS = [false, true] as const;

export interface Tried {
  readonly bound: LatencyBound;
  /** By which it is compared: where the bound is expected to be in the end. */
  readonly expectedNs: Nanoseconds;
  /** As good as the latency that is known. */
  readonly isNear: boolean;
  /** So near to it that no other way is tried, and that the rest waits for a better plan, beside which it goes much faster. */
  readonly isClose: boolean;
}

/** So much of the work tells which way will be ahead in the end, and which start where there is one way; the rest may wait. */
const WAY_SHARE = 0.1;
const START_SHARE = 0.3;
/** Without joins the eliminations go faster, with them the bound rises further in the end. */
const LATER_GAIN = 1.015;
/**
 * So near to the known plan, in models of so many operators at most, without prices of memory. Measured: joins are
 * better kept then, and beside the plan that the search finds in the end most boxes go at once.
 */
const CLOSE_WITHIN = 0.07;
const CLOSE_OPERATORS = 200;
/** Of the work, for the boxes that the prices of memory are found on; it comes on top. */
const PRICES_SHARE = 0.3;
/** Prices that gain less may prove less than none. */
const CLEAR_GAIN = 0.01;

/** One of the ways. */
export class BoundTrial {
  private favourite: { readonly run: BoxBound; readonly ns: Nanoseconds } | undefined;
  private best = NOTHING_PROVEN;

  /** @param isStopped a safety stop */
  constructor(
    private readonly scene: BoundScene,
    private readonly areJoinsRelays: boolean,
    private readonly incumbentNs: Nanoseconds | undefined,
    private readonly limits: RefineLimits,
    private readonly isStopped: () => boolean,
  ) {}

  /** A part of the work for each start; nothing where joins make no difference. */
  begin(): Tried {
    const { scene, incumbentNs, limits, isStopped } = this;
    this.unlessStopped(() => {
      const areMet = this.areJoinsMet();
      if (this.areJoinsRelays && !areMet) return;
      const starts = this.starts();
      const share = areMet ? WAY_SHARE : START_SHARE;
      for (const start of starts) {
        const run = new BoxBound(scene, start, incumbentNs, limits, isStopped);
        const found = run.upTo(share * limits.work);
        this.best = higher(this.best, found);
        if (this.isNear()) return;
        // The other's boxes are let go.
        if (this.favourite === undefined || found.ns > this.favourite.ns)
          this.favourite = { run, ns: found.ns };
      }
    });
    const ns = this.favourite?.ns ?? this.best.ns;
    const expectedNs = this.areJoinsRelays ? ns : LATER_GAIN * ns;
    return { bound: this.result(), expectedNs, isNear: this.isNear(), isClose: this.isClose(ns) };
  }

  /** The rest of the work, for the most promising start. @param betterNs latency of a better plan than the one known so far */
  finish(betterNs?: Nanoseconds): LatencyBound {
    const { favourite, limits } = this;
    if (favourite !== undefined) {
      const { run } = favourite;
      if (betterNs !== undefined) run.lower(betterNs);
      this.unlessStopped(() => (this.best = higher(this.best, run.upTo(limits.work))));
    }
    return this.result();
  }

  private result(): LatencyBound {
    return { ...this.best, stopped: this.isStopped() };
  }

  private unlessStopped(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    }
  }

  private isNear(): boolean {
    return this.isWithin(this.limits.gap, this.best.ns);
  }

  private isWithin(share: number, ns: Nanoseconds): boolean {
    const { incumbentNs } = this;
    return incumbentNs !== undefined && incumbentNs - ns <= share * incumbentNs;
  }

  private isClose(ns: Nanoseconds): boolean {
    const { graph, cluster, flow } = this.scene;
    return (
      flow.steps.length <= CLOSE_OPERATORS &&
      !isMemoryShort(graph, cluster) &&
      this.isWithin(CLOSE_WITHIN, ns)
    );
  }

  /** Leaving joins out makes a difference. */
  private areJoinsMet(): boolean {
    const { scene, isStopped } = this;
    const options = scene.allOptions(isStopped);
    const links = new PhaseLinks(scene.cluster);
    const [kept, left] = WAYS.map((way) => findRelays(scene, options, () => false, way, links).isRelay);
    return kept.some((isRelay, step) => isRelay !== left[step]);
  }

  /** Where prices of memory gain little with and without. */
  private starts(): BoundStart[] {
    const { scene, areJoinsRelays, incumbentNs, limits, isStopped } = this;
    const part = { ...limits, work: PRICES_SHARE * limits.work };
    const found = memoryPrices(scene, areJoinsRelays, incumbentNs, part, isStopped);
    if (found === undefined) return [{ areJoinsRelays }];
    const priced = { areJoinsRelays, prices: found.prices };
    // Operators whose steps have prices cannot be left out, which may cost more than little prices gain.
    return found.gain >= CLEAR_GAIN ? [priced] : [{ areJoinsRelays }, priced];
  }
}

/** No other way need be tried. */
export function isEnough({ isNear, isClose }: Tried): boolean {
  return isNear || isClose;
}

/** @param tried way by way, none behind one that is enough @returns the best so far, and which of them goes on */
export function goingOn(tried: readonly Tried[]): { readonly bound: LatencyBound; readonly next: number } {
  const bound = tried.map((own) => own.bound).reduce(higher);
  if (tried.some(({ isNear }) => isNear)) return { bound, next: NONE };
  const expected = tried.map(({ expectedNs }) => expectedNs);
  return { bound, next: expected.indexOf(Math.max(...expected)) };
}

export function higher(a: LatencyBound, b: LatencyBound): LatencyBound {
  return b.ns > a.ns ? b : a;
}
