/**
 * Sets of elements of a storage, across all its views.
 *
 * A view never moves an element: every tensor of a storage lists the same elements in the same row-major
 * order. So all of them are groupings of one *factored shape*: with `[1, 64, 7, 7]` and `[1, 3136]` it is
 * `64 x 7 x 7`. A `Region` is a set of disjoint boxes in that shape. A box of a tensor whose axes are merged
 * factors (columns `[10, 200)` of `[1, 3136]`) becomes a few boxes, at most `2k - 1` for `k` merged factors.
 * Where two views cut the elements in ways that have no common factors (`[12, 50]` and `[8, 75]`), the axes
 * concerned fall back to runs of their linear index; the result is exact in every case.
 *
 *     strides of [1,64,7,7]: 3136 49 7 1 \  kept: 3136 49 7 1  ->  factors 64 7 7
 *     strides of [1,3136]:   3136 1      /
 */
import { ELEMENT_BITS } from '../graph/elementType';
import type { Graph, Tensor } from '../graph/graph';
import { NONE, type Bytes, type TensorId } from '../graph/units';
import {
  boxElements,
  boxRuns,
  commonOnLine,
  cross,
  differenceOnLine,
  joinBoxes,
  joinRuns,
  runBoxes,
  withoutBox,
} from './boxes';
import type { Box } from './partition';

/** Disjoint boxes `[lo0, hi0, lo1, hi1, ...]`, one after another, in the factored shape of its space. */
export interface Region {
  readonly boxes: readonly number[];
  /** Number of elements. */
  readonly elements: number;
}

export const EMPTY_REGION: Region = { boxes: [], elements: 0 };

/** One storage's elements; regions of one space must not be mixed with those of another. */
export class RegionSpace {
  /** Sizes of the factored axes, at least one, outermost first. */
  readonly factors: readonly number[];
  /** Elements of the storage. */
  readonly size: number;
  readonly whole: Region;
  private readonly strides: readonly number[];

  /** @param shapes all shapes of the storage's tensors; of equal element count */
  constructor(shapes: readonly (readonly number[])[]) {
    const size = shapes.length > 0 ? product(shapes[0]) : 1;
    this.size = size;
    this.strides = size > 0 ? commonStrides(shapes, size) : [0, 1];
    this.factors = this.strides.slice(1).map((stride, i) => this.strides[i] / stride);
    this.whole = size > 0 ? this.single(this.factors.flatMap((factor) => [0, factor])) : EMPTY_REGION;
  }

  /** The elements of `box` of a tensor of shape `shape`, one of those that the space was made from. */
  fromBox(shape: readonly number[], box: Box): Region {
    for (let axis = 0; axis < shape.length; axis++) {
      if (box[2 * axis] >= box[2 * axis + 1]) return EMPTY_REGION;
    }
    const plain = this.plainBox(shape, box);
    if (plain !== undefined) return plain;
    let parts: number[][] = [[]];
    let stride = this.size;
    let axis = 0;
    let factor = 0;
    while (factor < this.factors.length) {
      // One group: the axes of the tensor between two strides that it shares with the factored shape.
      const firstAxis = axis;
      const firstFactor = factor++;
      while (stride !== this.strides[factor]) {
        if (stride > this.strides[factor]) stride /= shape[axis++];
        else factor++;
      }
      const runs = boxRuns(shape, box, firstAxis, axis);
      parts = cross(
        parts,
        runs.flatMap((run) => runBoxes(this.factors, firstFactor, factor, run[0], run[1])),
      );
    }
    return this.collect(parts);
  }

  /** The usual case: the tensor's axes longer than 1 are the factors, so that its box is one of ours. */
  private plainBox(shape: readonly number[], box: Box): Region | undefined {
    const { factors } = this;
    const boxes: number[] = [];
    let elements = 1;
    let factor = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      if (shape[axis] === 1) continue;
      if (shape[axis] !== factors[factor]) return undefined;
      const start = box[2 * axis];
      const end = box[2 * axis + 1];
      boxes.push(start, end);
      elements *= end - start;
      factor++;
    }
    return factor === factors.length ? { boxes, elements } : undefined;
  }

  /** Elements in both. */
  commonElements(a: Region, b: Region): number {
    const k2 = 2 * this.factors.length;
    if (k2 === 2) return commonOnLine(a.boxes, b.boxes);
    const x = a.boxes;
    const y = b.boxes;
    let total = 0;
    for (let i = 0; i < x.length; i += k2) {
      for (let j = 0; j < y.length; j += k2) {
        let volume = 1;
        for (let c = 0; c < k2 && volume > 0; c += 2) {
          const lo = x[i + c] > y[j + c] ? x[i + c] : y[j + c];
          const hi = x[i + c + 1] < y[j + c + 1] ? x[i + c + 1] : y[j + c + 1];
          volume = hi > lo ? volume * (hi - lo) : 0;
        }
        total += volume;
      }
    }
    return total;
  }

  /** Elements in `a` and `b` that are not in `c`. */
  commonElementsBut(a: Region, b: Region, c: Region): number {
    const k2 = 2 * this.factors.length;
    if (c.elements === 0) return this.commonElements(a, b);
    if (a.boxes.length !== k2 || b.boxes.length !== k2 || c.boxes.length !== k2)
      return this.commonElements(this.difference(a, c), b);
    let common = 1;
    let inAll = 1;
    for (let i = 0; i < k2; i += 2) {
      const lo = a.boxes[i] > b.boxes[i] ? a.boxes[i] : b.boxes[i];
      const hi = a.boxes[i + 1] < b.boxes[i + 1] ? a.boxes[i + 1] : b.boxes[i + 1];
      if (lo >= hi) return 0;
      common *= hi - lo;
      const low = lo > c.boxes[i] ? lo : c.boxes[i];
      const high = hi < c.boxes[i + 1] ? hi : c.boxes[i + 1];
      inAll *= high > low ? high - low : 0;
    }
    return common - inAll;
  }

  /** Elements of `need` that are not in `held`. */
  missingElements(need: Region, held: Region): number {
    return need.elements - this.commonElements(need, held);
  }

  contains(outer: Region, inner: Region): boolean {
    return inner.elements <= outer.elements && this.commonElements(outer, inner) === inner.elements;
  }

  equal(a: Region, b: Region): boolean {
    return a.elements === b.elements && this.commonElements(a, b) === a.elements;
  }

  intersection(a: Region, b: Region): Region {
    const k = this.factors.length;
    const parts: number[][] = [];
    for (let i = 0; i < a.boxes.length; i += 2 * k) {
      for (let j = 0; j < b.boxes.length; j += 2 * k) {
        const box: number[] = [];
        for (let c = 0; c < 2 * k; c += 2) {
          const lo = Math.max(a.boxes[i + c], b.boxes[j + c]);
          const hi = Math.min(a.boxes[i + c + 1], b.boxes[j + c + 1]);
          if (lo >= hi) break;
          box.push(lo, hi);
        }
        if (box.length === 2 * k) parts.push(box);
      }
    }
    return this.collect(parts);
  }

  /** Elements of `a` that are not in `b`: what a receiver of `a` that holds `b` lacks. */
  difference(a: Region, b: Region): Region {
    if (a.elements === 0 || b.elements === 0) return a;
    if (this.factors.length === 1) return this.collect(differenceOnLine(a.boxes, b.boxes));
    const common = this.commonElements(a, b);
    if (common === 0) return a;
    if (common === a.elements) return EMPTY_REGION;
    const k2 = 2 * this.factors.length;
    let parts: number[][] = this.list(a);
    for (let j = 0; j < b.boxes.length; j += k2) {
      const cut = b.boxes.slice(j, j + k2);
      parts = parts.flatMap((box) => withoutBox(box, cut));
    }
    return this.collect(parts);
  }

  union(a: Region, b: Region): Region {
    if (a.elements === 0) return b;
    if (b.elements === 0) return a;
    const extra = this.difference(b, a);
    if (extra.elements === 0) return a;
    if (extra.elements === b.elements - a.elements) return b;
    return this.collect([...this.list(a), ...this.list(extra)]);
  }

  /** The region as linear runs `[start, end)` of the storage's elements, ascending and maximal; slow. */
  runs(region: Region): [number, number][] {
    const shape = this.factors;
    const runs = this.list(region).flatMap((box) => boxRuns(shape, box, 0, shape.length));
    return joinRuns(runs);
  }

  private list(region: Region): number[][] {
    const k2 = 2 * this.factors.length;
    const parts: number[][] = [];
    for (let i = 0; i < region.boxes.length; i += k2) parts.push(region.boxes.slice(i, i + k2));
    return parts;
  }

  private single(box: readonly number[]): Region {
    return { boxes: box, elements: boxElements(box) };
  }

  /** @param parts disjoint boxes; joined where that makes fewer, so that regions stay small */
  private collect(parts: number[][]): Region {
    if (parts.length === 0) return EMPTY_REGION;
    if (parts.length === 1) return this.single(parts[0]);
    const joined = this.factors.length === 1 ? joinRuns(parts as [number, number][]) : joinBoxes(parts);
    let elements = 0;
    for (const box of joined) elements += boxElements(box);
    return { boxes: joined.flat(), elements };
  }
}

/** The region spaces of a graph's activations and weights, made when first asked for. */
export class Regions {
  private readonly ofStorage: (RegionSpace | undefined)[] = [];
  private readonly ofWeight = new Map<TensorId, RegionSpace>();

  /** @param tensors per storage those whose axes are to be told apart, all of its own by default */
  constructor(
    private readonly graph: Graph,
    private readonly tensors: readonly (readonly TensorId[])[] = graph.storages.map(
      (storage) => storage.tensors,
    ),
  ) {}

  /**
   * The space that boxes of `tensor` belong to: its storage's, or its own for a weight. A storage one of
   * whose shapes is unknown is one indivisible element.
   */
  space(tensor: TensorId): RegionSpace {
    const { storage } = this.graph.tensors[tensor];
    if (storage === NONE) {
      let space = this.ofWeight.get(tensor);
      if (space === undefined) this.ofWeight.set(tensor, (space = makeSpace([this.graph.tensors[tensor]])));
      return space;
    }
    return (this.ofStorage[storage] ??= makeSpace(this.tensors[storage].map((id) => this.graph.tensors[id])));
  }

  /** Elements of `box` of `tensor`; everything where its shape is not known. */
  region(tensor: TensorId, box: Box): Region {
    const space = this.space(tensor);
    const { shape } = this.graph.tensors[tensor];
    if (!isKnown(shape) || product(shape) !== space.size) return space.whole;
    return space.fromBox(shape, box);
  }

  /** Bytes of so many elements of `tensor`, packed; 0 where the tensor's size is unknown (sums say "at least"). */
  bytes(tensor: TensorId, elements: number): Bytes {
    const { type, bytes } = this.graph.tensors[tensor];
    if (bytes === undefined) return 0;
    const bits = type === undefined ? undefined : ELEMENT_BITS[type];
    if (bits === undefined) return elements > 0 ? bytes : 0;
    return bits >= 8 ? elements * (bits / 8) : Math.ceil((elements * bits) / 8);
  }
}

function makeSpace(tensors: readonly Tensor[]): RegionSpace {
  const shapes: number[][] = [];
  for (const { shape } of tensors) {
    if (!isKnown(shape)) return new RegionSpace([[]]);
    shapes.push(shape);
  }
  const consistent = shapes.every((shape) => product(shape) === product(shapes[0]));
  return new RegionSpace(consistent ? shapes : [[]]);
}

function isKnown(shape: Tensor['shape']): shape is number[] {
  return shape !== undefined && shape.every((dim) => dim !== undefined);
}

export function product(dims: readonly number[]): number {
  return dims.reduce((all, dim) => all * dim, 1);
}

/** Descending strides from `size` to 1 that every other stride of the shapes divides or is divided by. */
function commonStrides(shapes: readonly (readonly number[])[], size: number): number[] {
  const all = new Set<number>([1]);
  for (const shape of shapes) {
    let stride = size;
    for (const dim of shape) all.add((stride /= dim));
  }
  all.add(size);
  const sorted = [...all].sort((a, b) => b - a);
  const kept = sorted.filter((s) => sorted.every((t) => (s > t ? s % t : t % s) === 0));
  return kept.length > 1 ? kept : [size, 1];
}
