import type { ElementType } from '../graph/elementType';
import type { Problem } from '../graph/problem';

/**
 * A dimension during inference: a number, a symbolic expression over named dimensions, or unknown.
 * Expressions print as people write them (`2*height`, `floor(width/2) + 1`) and evaluate under bindings.
 */
export type Dim = number | DimExpression | undefined;

export interface DimExpression {
  readonly text: string;
  /** Size under the bindings that inference ran with; `undefined` where a name in it is free. */
  readonly value: number | undefined;
  /** Names in it that have no size there, each once. */
  readonly free: readonly string[];
  /** Value under bindings of names to sizes, or `undefined` where a name is free. */
  evaluate(bindings: ReadonlyMap<string, number>): number | undefined;
}

export type ValueType =
  | {
      readonly kind: 'tensor';
      readonly type: ElementType | undefined;
      readonly shape: readonly Dim[] | undefined;
    }
  | {
      readonly kind: 'sparse';
      readonly type: ElementType | undefined;
      readonly shape: readonly Dim[] | undefined;
    }
  | { readonly kind: 'sequence'; readonly element: ValueType }
  | { readonly kind: 'optional'; readonly element: ValueType }
  | { readonly kind: 'map'; readonly keyType: ElementType | undefined; readonly value: ValueType }
  | { readonly kind: 'unknown' };

/** What is known of one value name of a graph. */
export interface InferredValue {
  readonly type: ValueType;
  /** Row-major small constant or shape-arithmetic values; an element may be symbolic or unknown. */
  readonly values?: readonly Dim[];
  /** A sequence whose length is known: its elements in order. */
  readonly elements?: readonly InferredValue[];
  /** Computed from constants alone: an initializer, `Constant`, or anything derived from only those. */
  readonly isConstant: boolean;
}

/** Everything inferred about one graph (the main graph, a subgraph or a function body). */
export interface InferredGraph {
  readonly values: ReadonlyMap<string, InferredValue>;
  /** Nodes in a valid execution order, as indices into the graph's `nodes`. */
  readonly order: readonly number[];
  /** Per node index with subgraphs or a function body: what was inferred inside, by attribute name (`body` for a function). */
  readonly bodies: ReadonlyMap<number, ReadonlyMap<string, InferredGraph>>;
}

export interface ShapeResult {
  readonly main: InferredGraph;
  /**
   * Names of the symbolic dimensions, those of the inputs first, with the binding in force where there is one.
   * An input's dimension without a name is called after it: `images[2]`.
   */
  readonly symbols: ReadonlyMap<string, number | undefined>;
  readonly problems: readonly Problem[];
}
