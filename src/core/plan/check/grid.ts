import { append, boxRuns, EMPTY, isEmptyBox, isWhole, type Runs } from './runs';

/** Some elements of a storage: a box (`[start0, end0, ...]` per axis) of one of the tensors that share it. */
export interface TensorBox {
  readonly shape: readonly number[];
  readonly box: readonly number[];
}

/** Runs of positions among the digits `[from, to)`, counted in steps of the lowest of them. */
interface Digits {
  readonly from: number;
  readonly to: number;
  readonly runs: Runs;
}

/**
 * The elements of one storage, those that no box tells apart taken together as a cell. Sets of elements are runs of
 * cells, so that a cut of a narrow last axis is not a run for each row: with a cut at column 3 of a `[4, 5]`
 *
 *     0 1 2 | 3 4
 *     5 6 7 | 8 9       is two cells of 12 and 8 elements, and the first three columns the run `[0, 1)`.
 *     ...
 *
 * Positions are numbers in mixed radix: their digits are the axes that the storage's tensors have in common, and each
 * digit is cut where boxes begin and end. Where views share no axis (6 x 4 and 4 x 6) one digit takes all their cuts,
 * which are then as many as runs of positions would be.
 */
export class Grid {
  readonly whole: Runs;
  /** Elements in one step of each digit, the lowest first; behind the highest all elements. Each divides the next. */
  private readonly radix: readonly number[];
  /** Per digit where its cells begin, and its end, ascending; and which of them stands at a value. */
  private readonly edges: readonly (readonly number[])[];
  private readonly edgeAt: readonly ReadonlyMap<number, number>[];
  /** As `radix`, in cells. */
  private readonly cells: readonly number[];

  /** @param boxes all that will be asked for */
  constructor(elements: number, boxes: readonly TensorBox[]) {
    const all = { shape: [elements], box: [0, elements] };
    const given = [all, ...boxes].filter(({ box }) => !isEmptyBox(box));
    this.radix = commonRadix(given);
    this.edges = this.cutDigits(given);
    this.edgeAt = this.edges.map((edges) => new Map(edges.map((value, edge) => [value, edge])));
    const cells = [1];
    for (const { length } of this.edges) cells.push(cells[cells.length - 1] * (length - 1));
    this.cells = cells;
    this.whole = this.runs(all);
  }

  runs(tensorBox: TensorBox): Runs {
    if (isEmptyBox(tensorBox.box)) return EMPTY;
    let runs: Runs = [0, 1];
    for (const digits of this.digitsOf(tensorBox)) {
      const outer = digits.runs.map((position) => this.cellAt(position, digits));
      runs = nested(outer, runs, this.cells[digits.from]);
    }
    return runs;
  }

  /** Elements in them. */
  count(runs: Runs): number {
    let count = 0;
    for (let i = 0; i < runs.length; i += 2)
      count += this.elementsBefore(runs[i + 1]) - this.elementsBefore(runs[i]);
    return count;
  }

  /** A box digit by digit, the lowest first; axes whose border is no digit's stay together. */
  private digitsOf({ shape, box }: TensorBox): Digits[] {
    const found: Digits[] = [];
    let from = 0;
    let end = shape.length;
    const take = (axis: number, to: number): void => {
      found.push({ from, to, runs: boxRuns(shape.slice(axis, end), box.slice(2 * axis, 2 * end)) });
      from = to;
      end = axis;
    };
    let size = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      size *= shape[axis];
      const to = this.radix.indexOf(size);
      if (to > from) take(axis, to);
    }
    if (from < this.radix.length - 1) take(0, this.radix.length - 1);
    return found;
  }

  private cutDigits(boxes: readonly TensorBox[]): number[][] {
    const { radix } = this;
    const edges = radix.slice(1).map((size, digit) => new Set([0, size / radix[digit]]));
    for (const box of boxes) {
      for (const { from, to, runs } of this.digitsOf(box)) {
        for (const position of runs) {
          let rest = position * radix[from];
          for (let digit = to - 1; digit >= from && rest > 0; digit--) {
            const value = Math.floor(rest / radix[digit]);
            rest -= value * radix[digit];
            edges[digit].add(value);
            // What goes on in the lower digits belongs to this value alone.
            if (rest > 0) edges[digit].add(value + 1);
          }
        }
      }
    }
    return edges.map((values) => [...values].sort((a, b) => a - b));
  }

  /** The cell that begins at a position among some digits, in steps of the lowest of them. */
  private cellAt(position: number, { from, to }: Digits): number {
    const { radix, cells } = this;
    let rest = position * radix[from];
    let cell = 0;
    for (let digit = to - 1; digit >= from && rest > 0; digit--) {
      const value = Math.floor(rest / radix[digit]);
      rest -= value * radix[digit];
      const edge = this.edgeAt[digit].get(value);
      if (edge === undefined) throw new Error('a box that the grid was not cut for');
      cell += edge * cells[digit];
    }
    return cell / cells[from];
  }

  private elementsBefore(cell: number): number {
    const { radix, cells, edges } = this;
    let rest = cell;
    let width = 1;
    let elements = 0;
    for (let digit = edges.length - 1; digit >= 0 && rest > 0; digit--) {
      const edge = Math.floor(rest / cells[digit]);
      rest -= edge * cells[digit];
      elements += width * edges[digit][edge] * radix[digit];
      if (rest > 0) width *= edges[digit][edge + 1] - edges[digit][edge];
    }
    // What is left over a storage without digits, of one element, is that element.
    return elements + rest;
  }
}

/** In every one of the `outer` steps the `inner` runs of `[0, length)`. */
function nested(outer: Runs, inner: Runs, length: number): Runs {
  if (inner.length === 2 && inner[0] === 0 && inner[1] === length) return outer.map((step) => step * length);
  const runs: number[] = [];
  for (let i = 0; i < outer.length; i += 2) {
    for (let step = outer[i]; step < outer[i + 1]; step++) {
      for (let j = 0; j < inner.length; j += 2)
        append(runs, step * length + inner[j], step * length + inner[j + 1]);
    }
  }
  return runs;
}

/**
 * Sizes of digits that boxes are cut along, from 1 to all elements. Only axes that are cut matter; of their borders
 * those are left out that another one neither divides nor is divided by.
 */
function commonRadix(boxes: readonly TensorBox[]): number[] {
  const elements = Math.max(1, ...boxes.map(({ shape }) => shape.reduce((size, length) => size * length, 1)));
  const borders = new Set<number>();
  for (const { shape, box } of boxes) {
    let size = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const outer = size * shape[axis];
      if (!isWhole(shape, box, axis)) for (const border of [size, outer]) borders.add(border);
      size = outer;
    }
  }
  const possible = [...borders].filter((border) => elements % border === 0);
  const isCommon = (border: number): boolean =>
    possible.every((other) => border % other === 0 || other % border === 0);
  return [...new Set([1, ...possible.filter(isCommon), elements])].sort((a, b) => a - b);
}
