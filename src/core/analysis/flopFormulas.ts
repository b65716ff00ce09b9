import type { Attributes } from '../graph/attributes';
import { intAttribute, intsAttribute, stringAttribute } from '../graph/attributes';

/** What a FLOPs formula may ask of a node: sizes that are known, attributes, values of small constants. */
export interface NodeSizes {
  readonly attributes: Attributes;
  /** Version of the node's domain that the model imports. */
  readonly opset: number;
  readonly inputCount: number;
  input(at: number): readonly number[] | undefined;
  output(at: number): readonly number[] | undefined;
  values(input: number): readonly number[] | undefined;
}

/** A formula is a sentence for the docs and the count itself; `undefined`: a size that it needs is not known. */
export interface Formula {
  readonly text: string;
  readonly count: (node: NodeSizes) => number | undefined;
}

export function elementsOf(shape: readonly number[] | undefined): number | undefined {
  return shape?.reduce((product, size) => product * size, 1);
}

/** Product of what is known, `undefined` where a factor is not. */
export function times(...factors: (number | undefined)[]): number | undefined {
  let product = 1;
  for (const factor of factors) {
    if (factor === undefined) return undefined;
    product *= factor;
  }
  return product;
}

export function plus(...terms: (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const term of terms) {
    if (term === undefined) return undefined;
    sum += term;
  }
  return sum;
}

const outputElements = (node: NodeSizes) => elementsOf(node.output(0));

export const MOVES: Formula = { text: '0 (moves data)', count: () => 0 };

export function perOutput(factor: number): Formula {
  return { text: `${factor} per output element`, count: (node) => times(factor, outputElements(node)) };
}

export function perInput(factor: number, input = 0): Formula {
  const which = input === 0 ? 'input element' : `element of input ${input}`;
  return { text: `${factor} per ${which}`, count: (node) => times(factor, elementsOf(node.input(input))) };
}

export const COMBINES: Formula = {
  text: '(inputs - 1) per output element',
  count: (node) => times(node.inputCount - 1, outputElements(node)),
};

export function convolution(weights: number): Formula {
  return {
    text: '2 × output elements × (Cin / group) × kernel elements',
    count: (node) => times(2, outputElements(node), elementsOf(node.input(weights)?.slice(1))),
  };
}

/** Every input element meets the kernel of every output channel of its group. */
export const TRANSPOSED_CONVOLUTION: Formula = {
  text: '2 × input elements × (Cout / group) × kernel elements',
  count: (node) => times(2, elementsOf(node.input(0)), elementsOf(node.input(1)?.slice(1))),
};

export function product(left: number): Formula {
  return {
    text: '2 × M × N × K (times the batch)',
    count: (node) => times(2, outputElements(node), node.input(left)?.at(-1)),
  };
}

/** `C` is added after the product, as a bias of a convolution it is not counted. */
export const GEMM: Formula = {
  text: '2 × M × N × K',
  count: (node) => {
    const turned = intAttribute(node.attributes, 'transA', 0) !== 0;
    return times(2, outputElements(node), node.input(0)?.at(turned ? 0 : -1));
  },
};

export const POOL: Formula = {
  text: 'output elements × kernel elements',
  count: (node) => times(outputElements(node), elementsOf(intsAttribute(node.attributes, 'kernel_shape'))),
};

export const ROI_ALIGN: Formula = {
  text: '4 × output elements × sampling points (1 where adaptive)',
  count: (node) => {
    const points = Math.max(1, intAttribute(node.attributes, 'sampling_ratio', 0));
    return times(4, outputElements(node), points * points);
  },
};

/** Linear interpolation reads two neighbours per axis, cubic four; nearest only moves data. */
export const RESIZE: Formula = {
  text: '0 nearest, 5 linear, 5 × 4 cubic, per output element',
  count: (node) => {
    const factors: Record<string, number> = { linear: 5, bilinear: 5, cubic: 20 };
    return times(factors[stringAttribute(node.attributes, 'mode', 'nearest')] ?? 0, outputElements(node));
  },
};

export const EINSUM: Formula = {
  text: '2 × product of the sizes of all letters (1 × with a single input)',
  count: (node) => {
    const left = stringAttribute(node.attributes, 'equation', '').replace(/\s/g, '').split('->')[0];
    const sizes = new Map<string, number>();
    const dots: number[] = [];
    for (const [at, term] of left.split(',').entries()) {
      const shape = node.input(at);
      if (shape === undefined) return undefined;
      const [before, after = ''] = term.split('...');
      [...before].forEach((letter, axis) => sizes.set(letter, Math.max(sizes.get(letter) ?? 1, shape[axis])));
      const tail = shape.length - after.length;
      [...after].forEach((letter, axis) =>
        sizes.set(letter, Math.max(sizes.get(letter) ?? 1, shape[tail + axis])),
      );
      const middle = term.includes('...') ? shape.slice(before.length, tail) : [];
      middle.reverse().forEach((size, axis) => (dots[axis] = Math.max(dots[axis] ?? 1, size)));
    }
    return times(node.inputCount > 1 ? 2 : 1, ...sizes.values(), ...dots);
  },
};

/** Products with the input and the recurrent weights at every step, then 5 per gate and hidden unit. */
export function recurrent(gates: number): Formula {
  return {
    text: `sequence × batch × directions × ${gates} gates × hidden × (2 × (input + hidden) + 5)`,
    count: (node) => {
      const x = node.input(0);
      const weights = node.input(1);
      const hidden = node.input(2)?.at(-1);
      const each = hidden === undefined || x === undefined ? undefined : 2 * (x[2] + hidden) + 5;
      return times(x?.[0], x?.[1], weights?.[0], gates, hidden, each);
    },
  };
}

const SCORE_FLOPS = 5;

/** Scores and weighted values, and a softmax over the scores, whichever layout the inputs have. */
export const ATTENTION: Formula = {
  text: 'batch × heads × queries × keys × (2 × (key size + value size) + 5)',
  count: (node) => {
    const [q, k, v] = [node.input(0), node.input(1), node.input(2)];
    const named = intAttribute(node.attributes, 'num_heads', 1);
    const heads = q?.length === 4 ? q[1] : intAttribute(node.attributes, 'q_num_heads', named);
    const past = node.input(4)?.length === 4 ? node.input(4)![2] : 0;
    const queries = q?.[q.length - 2];
    const keys = k === undefined ? undefined : k[k.length - 2] + past;
    const size = q === undefined ? undefined : q.length === 4 ? q[3] : q[2] / heads;
    const kvHeads = intAttribute(node.attributes, 'kv_num_heads', heads);
    const valueSize = v === undefined ? undefined : v.length === 4 ? v[3] : v[2] / kvHeads;
    return times(q?.[0], heads, queries, keys, plus(times(2, plus(size, valueSize)), SCORE_FLOPS));
  },
};

/** Queries, keys and values may come packed; the cache tells how many keys there are. */
export const GROUPED_ATTENTION: Formula = {
  text: 'batch × heads × queries × keys × (4 × head size + 5)',
  count: (node) => {
    const [batch, , keys, size] = node.output(1) ?? [];
    const heads = intAttribute(node.attributes, 'num_heads', 1);
    return times(batch, heads, node.input(0)?.[1], keys, plus(times(4, size), SCORE_FLOPS));
  },
};

/** The projection of all three, then attention of every token to every token. */
export const PACKED_ATTENTION: Formula = {
  text: '2 × tokens × elements of the weights + batch × heads × tokens² × (4 × head size + 5)',
  count: (node) => {
    const [batch, length] = node.input(0) ?? [];
    const heads = intAttribute(node.attributes, 'num_heads', 1);
    const size = node.output(0) && node.output(0)![2] / heads;
    const projected = times(2, batch, length, elementsOf(node.input(1)));
    return plus(projected, times(batch, heads, length, length, plus(times(4, size), SCORE_FLOPS)));
  },
};

/** The state (key size by value size) is decayed, updated and read once per token and head. */
export const LINEAR_ATTENTION: Formula = {
  text: '6 × tokens × elements of the state',
  count: (node) => times(6, node.input(0)?.[1], elementsOf(node.output(1))),
};

export const FOURIER: Formula = {
  text: '5 × elements × log2(length)',
  count: (node) => {
    const elements = elementsOf(node.output(0));
    const longest = Math.max(2, ...(node.input(0)?.slice(1) ?? []));
    return elements === undefined ? undefined : Math.ceil(5 * elements * Math.log2(longest));
  },
};

export const DETERMINANT: Formula = {
  text: '⅔ × n³ per matrix',
  count: (node) => {
    const n = node.input(0)?.at(-1);
    return n === undefined ? undefined : times(elementsOf(node.output(0)), Math.ceil((2 / 3) * n ** 3));
  },
};

/** Comparisons along a balanced path through every tree. */
export const TREES: Formula = {
  text: 'rows × trees × depth of a balanced tree',
  count: (node) => {
    const ids =
      intsAttribute(node.attributes, 'nodes_treeids') ?? intsAttribute(node.attributes, 'tree_roots');
    const rows = node.input(0)?.length === 1 ? 1 : node.input(0)?.[0];
    if (ids === undefined) return undefined;
    const trees = new Set(ids).size;
    return times(rows, trees, Math.ceil(Math.log2(ids.length / Math.max(trees, 1) + 1)));
  },
};

export function attributeRows(attribute: string): Formula {
  return {
    text: `2 × rows × entries of '${attribute}'`,
    count: (node) => {
      const found = node.attributes.get(attribute);
      const entries = found?.kind === 'floats' ? found.value.length : undefined;
      return times(2, node.input(0)?.length === 1 ? 1 : node.input(0)?.[0], entries);
    },
  };
}

/** Nothing is added where each update goes to a place of its own. */
export const SCATTER: Formula = {
  text: '0, with a reduction 1 per update',
  count: (node) =>
    stringAttribute(node.attributes, 'reduction', 'none') === 'none' ? 0 : elementsOf(node.input(2)),
};

export const UNCOUNTED: Formula = { text: 'not counted', count: () => undefined };

/** Whatever the bodies cost: that of a function, the larger branch, or a pass times their number. */
export const BODY: Formula = {
  text: 'its body, times the passes; the larger branch',
  count: () => undefined,
};
