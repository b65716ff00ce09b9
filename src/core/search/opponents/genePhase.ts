/** Message phases of the synchronous model between what one gene leaves on the devices and what another needs there. */
import type { Nanoseconds, StorageId } from '../../graph/units';
import type { Workload } from '../../latency/workload';
import { EMPTY_REGION, type Region, type RegionSpace } from '../../partition/regions';

/** Of one storage, per device. */
export interface Parts {
  readonly regions: readonly Region[];
  /** Absent where they are no parts along one axis. */
  readonly lines: Lines | undefined;
}

/** Of one storage, where it is made. */
export interface MadeParts {
  readonly owned: Parts;
  /** What each device holds, where that is more than it owns. */
  readonly held: Parts | undefined;
}

/** Parts along one axis, whole along all others: `[from[d], to[d])` of it on device `d`. */
interface Lines {
  readonly from: Float64Array;
  readonly to: Float64Array;
  /** Of the factored axes of the storage; `NO_AXIS` where every part is everything or nothing, and places are one. */
  readonly axis: number;
}

const NO_AXIS = -1;

export class GenePhase {
  private readonly devices: number;
  /** Per device: time of its uplink and of its downlink in one phase. */
  private readonly up: Float64Array;
  private readonly down: Float64Array;
  private readonly known = new WeakMap<readonly Region[], Parts>();

  constructor(private readonly workload: Workload) {
    this.devices = workload.cluster.devices.length;
    this.up = new Float64Array(this.devices);
    this.down = new Float64Array(this.devices);
  }

  space(storage: StorageId): RegionSpace {
    const { genes, graph } = this.workload;
    return genes.regions.space(graph.storages[storage].tensors[0]);
  }

  made(storage: StorageId, owned: readonly Region[], held: readonly Region[]): MadeParts {
    return {
      owned: this.parts(storage, owned),
      held: held === owned ? undefined : this.parts(storage, held),
    };
  }

  parts(storage: StorageId, regions: readonly Region[]): Parts {
    let parts = this.known.get(regions);
    if (parts === undefined)
      this.known.set(regions, (parts = { regions, lines: linesOf(this.space(storage), regions) }));
    return parts;
  }

  /** Time of the busiest link, of the shared medium where there is one. */
  ns(storage: StorageId, { owned, held }: MadeParts, needs: Parts): Nanoseconds {
    this.up.fill(0);
    this.down.fill(0);
    const isOnLines =
      owned.lines !== undefined &&
      needs.lines !== undefined &&
      (held === undefined || (held.lines !== undefined && areAlong(held.lines, owned.lines)));
    const sum = isOnLines
      ? areAlong(owned.lines, needs.lines)
        ? this.along(storage, owned.lines, held?.lines, needs.lines)
        : this.across(storage, owned.lines, held?.lines, needs.lines)
      : this.anyhow(storage, owned.regions, held?.regions, needs.regions);
    if (this.workload.cluster.network.kind === 'shared') return sum;
    let most = 0;
    for (let d = 0; d < this.devices; d++) most = Math.max(most, this.up[d], this.down[d]);
    return most;
  }

  /** All along the same axis. */
  private along(storage: StorageId, owned: Lines, held: Lines | undefined, needs: Lines): Nanoseconds {
    const { devices } = this;
    const { size, factors } = this.space(storage);
    const axis = Math.max(owned.axis, needs.axis, held?.axis ?? NO_AXIS);
    const places = axis === NO_AXIS ? 1 : factors[axis];
    const slab = size / places;
    const own = held ?? owned;
    const ofNeeds = needs.axis === NO_AXIS ? places : 1;
    const ofOwned = owned.axis === NO_AXIS ? places : 1;
    const ofOwn = own.axis === NO_AXIS ? places : 1;
    let sum = 0;
    for (let to = 0; to < devices; to++) {
      const start = needs.from[to] * ofNeeds;
      const end = needs.to[to] * ofNeeds;
      if (start >= end) continue;
      const ownFrom = Math.max(start, own.from[to] * ofOwn);
      const ownTo = Math.min(end, own.to[to] * ofOwn);
      let lacking = end - start - Math.max(0, ownTo - ownFrom);
      for (let from = 0; from < devices && lacking > 0; from++) {
        if (from === to) continue;
        const low = Math.max(start, owned.from[from] * ofOwned);
        const high = Math.min(end, owned.to[from] * ofOwned);
        if (low >= high) continue;
        // Of what the sender owns the receiver may hold some itself.
        const sent = high - low - Math.max(0, Math.min(high, ownTo) - Math.max(low, ownFrom));
        if (sent === 0) continue;
        lacking -= sent;
        sum += this.sent(storage, from, to, sent * slab);
      }
    }
    return sum;
  }

  /** What is needed lies along another axis than what is there. */
  private across(storage: StorageId, owned: Lines, held: Lines | undefined, needs: Lines): Nanoseconds {
    const { devices } = this;
    const { size, factors } = this.space(storage);
    const perPlace = size / (factors[owned.axis] * factors[needs.axis]);
    const own = held ?? owned;
    const scale = held?.axis === NO_AXIS ? factors[owned.axis] : 1;
    let sum = 0;
    for (let to = 0; to < devices; to++) {
      const needed = needs.to[to] - needs.from[to];
      if (needed <= 0) continue;
      const ownFrom = own.from[to] * scale;
      const ownTo = own.to[to] * scale;
      for (let from = 0; from < devices; from++) {
        const low = owned.from[from];
        const high = owned.to[from];
        if (from === to || low >= high) continue;
        const places = high - low - Math.max(0, Math.min(high, ownTo) - Math.max(low, ownFrom));
        if (places > 0) sum += this.sent(storage, from, to, needed * places * perPlace);
      }
    }
    return sum;
  }

  private anyhow(
    storage: StorageId,
    owned: readonly Region[],
    held: readonly Region[] | undefined,
    needs: readonly Region[],
  ): Nanoseconds {
    const { devices } = this;
    const space = this.space(storage);
    let sum = 0;
    for (let to = 0; to < devices; to++) {
      const need = needs[to];
      if (need.elements === 0) continue;
      const own = held === undefined ? EMPTY_REGION : held[to];
      // Each element is somebody's: mostly one or two devices have all that is lacking.
      let lacking = space.missingElements(need, held === undefined ? owned[to] : own);
      for (let from = 0; from < devices && lacking > 0; from++) {
        if (from === to || owned[from].elements === 0) continue;
        const elements = space.commonElementsBut(need, owned[from], own);
        if (elements === 0) continue;
        lacking -= elements;
        sum += this.sent(storage, from, to, elements);
      }
    }
    return sum;
  }

  private sent(storage: StorageId, from: number, to: number, elements: number): Nanoseconds {
    const { genes } = this.workload;
    const ns = genes.costs.messageNs(from, to, genes.storageBytes(storage, elements));
    this.up[from] += ns;
    this.down[to] += ns;
    return ns;
  }
}

function areAlong(a: Lines, b: Lines): boolean {
  return a.axis === b.axis || a.axis === NO_AXIS || b.axis === NO_AXIS;
}

function linesOf({ factors, size }: RegionSpace, regions: readonly Region[]): Lines | undefined {
  const from = new Float64Array(regions.length);
  const to = new Float64Array(regions.length);
  let axis = NO_AXIS;
  for (let d = 0; d < regions.length; d++) {
    const { boxes, elements } = regions[d];
    if (elements === 0 || elements === size) continue;
    if (boxes.length !== 2 * factors.length) return undefined;
    for (let f = 0; f < factors.length; f++) {
      if (boxes[2 * f] === 0 && boxes[2 * f + 1] === factors[f]) continue;
      if (axis !== NO_AXIS && axis !== f) return undefined;
      axis = f;
    }
  }
  regions.forEach(({ boxes, elements }, d) => {
    if (elements === 0) return;
    const isWhole = elements === size;
    from[d] = isWhole ? 0 : boxes[2 * axis];
    to[d] = isWhole ? (axis === NO_AXIS ? 1 : factors[axis]) : boxes[2 * axis + 1];
  });
  return { axis, from, to };
}
