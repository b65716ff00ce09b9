/** A linear program as data, built row by row; whoever solves it stands behind `SolveLinear`. */

/** Least `cost * x` with `lower <= x <= upper` and `rowLower <= A x <= rowUpper`, `A` by rows. */
export interface LinearProgram {
  readonly cost: readonly number[];
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  readonly rowLower: readonly number[];
  readonly rowUpper: readonly number[];
  /** Row `r` has its entries at `[starts[r], starts[r + 1])` of `columns` and `values`. */
  readonly starts: readonly number[];
  readonly columns: readonly number[];
  readonly values: readonly number[];
}

/** Values of the variables at an optimum, the same at every call; `undefined` where there is none. */
export type SolveLinear = (program: LinearProgram) => Float64Array | undefined;

/** `constant` plus coefficients times variables. */
export interface Linear {
  readonly terms: readonly (readonly [variable: number, coefficient: number])[];
  readonly constant: number;
}

export const constant = (value: number): Linear => ({ terms: [], constant: value });
export const variable = (id: number): Linear => ({ terms: [[id, 1]], constant: 0 });

/** `a + factor * b` */
export function plus(a: Linear, b: Linear, factor = 1): Linear {
  return {
    terms: [...a.terms, ...b.terms.map(([id, coefficient]) => [id, factor * coefficient] as const)],
    constant: a.constant + factor * b.constant,
  };
}

export function sum(parts: readonly Linear[]): Linear {
  return {
    terms: parts.flatMap(({ terms }) => terms),
    constant: parts.reduce((all, part) => all + part.constant, 0),
  };
}

export const times = (a: Linear, factor: number): Linear => plus(constant(0), a, factor);

export function valueOf({ terms, constant }: Linear, solution: ArrayLike<number>): number {
  return terms.reduce((sum, [id, coefficient]) => sum + coefficient * solution[id], constant);
}

export class LinearBuilder {
  private readonly cost: number[] = [];
  private readonly lower: number[] = [];
  private readonly upper: number[] = [];
  private readonly rowLower: number[] = [];
  private readonly rowUpper: number[] = [];
  private readonly starts: number[] = [0];
  private readonly columns: number[] = [];
  private readonly values: number[] = [];

  variable(lower: number, upper: number, cost = 0): Linear {
    this.lower.push(lower);
    this.upper.push(upper);
    return variable(this.cost.push(cost) - 1);
  }

  /** Requires `expression >= 0`. */
  notNegative({ terms, constant }: Linear): void {
    const merged = new Map<number, number>();
    for (const [id, coefficient] of terms) merged.set(id, (merged.get(id) ?? 0) + coefficient);
    for (const [id, coefficient] of merged) {
      if (coefficient === 0) continue;
      this.columns.push(id);
      this.values.push(coefficient);
    }
    if (this.columns.length === this.starts[this.starts.length - 1]) return;
    this.starts.push(this.columns.length);
    this.rowLower.push(-constant);
    this.rowUpper.push(Infinity);
  }

  /** A new variable that is at least 0 and at least each of `bounds`. */
  most(bounds: readonly Linear[], cost = 0): Linear {
    const most = this.variable(0, Infinity, cost);
    for (const bound of bounds) this.notNegative(plus(most, bound, -1));
    return most;
  }

  build(): LinearProgram {
    const { cost, lower, upper, rowLower, rowUpper, starts, columns, values } = this;
    return { cost, lower, upper, rowLower, rowUpper, starts, columns, values };
  }
}
