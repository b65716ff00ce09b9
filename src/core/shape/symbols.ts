import type { DeclaredDim, DeclaredType, ModelGraph } from '../onnx/model';
import { add, floorDivide, isSymbolic, multiply, subtract, symbol } from './dim';
import type { Dim, ValueType } from './types';

/** Names for the number of samples: 1 unless the user says otherwise, wherever they stand. */
const BATCH =
  /^(?:(?:dynamic|num|n|input|image|img|max)_?)?batch(?:es)?(?:_?(?:size|dim|axis|num))?(?:_?\d+)?$/i;
/** Names for it only as the first of several dimensions: letters, and what exporters invent for any dimension. */
const LEADING_BATCH =
  /^(?:n|b|bs|none|\?|s\d+|d\d+|dim_?\d+|unk__?\d+|unknown\w*|.*dynamic_axes_\d+|.*_dim_0|dynamicdimension[.\d]*)$/i;
const DEFAULT_BATCH = 1;

/**
 * The symbolic dimensions of a model and what is bound to them: by the user, or to 1 by default where a name
 * (`BATCH`), or the first of at least two dimensions of an input (`LEADING_BATCH`, or without a name), stands
 * for the number of samples. An input's dimension without a name is called `<input>[<axis>]`, so that it can be
 * bound as well.
 */
export class Symbols {
  /** In order of appearance. */
  readonly found = new Map<string, number | undefined>();
  private readonly dims = new Map<string, Dim>();

  constructor(private readonly bindings: ReadonlyMap<string, number>) {}

  /** The type of a graph input. */
  ofInput(name: string, type: DeclaredType): ValueType {
    return convert(type, (dim, axis, rank) => {
      const leading = axis === 0 && rank > 1;
      if (isUnnamed(dim)) return this.named(`${name}[${axis}]`, leading ? DEFAULT_BATCH : undefined);
      return this.expression(
        dim,
        BATCH.test(dim) || (leading && LEADING_BATCH.test(dim)) ? DEFAULT_BATCH : undefined,
      );
    });
  }

  /** A declared type whose names become symbols, bound only by the user. */
  ofValue(type: DeclaredType): ValueType {
    return convert(type, (dim) => (isUnnamed(dim) ? undefined : this.expression(dim, undefined)));
  }

  /** A declared type with the names that are known so far; others are unknown dimensions. */
  ofInner(type: DeclaredType): ValueType {
    return convert(type, (dim) => (isUnnamed(dim) ? undefined : this.dims.get(dim)));
  }

  private named(name: string, otherwise: number | undefined): Dim {
    const known = this.dims.get(name);
    if (known !== undefined) return known;
    const value = this.bindings.get(name) ?? otherwise;
    const dim = symbol(name, value);
    this.dims.set(name, dim);
    this.found.set(name, value);
    return dim;
  }

  /** Names such as `past + sequence` are read as what they say, unless the whole text is bound. */
  private expression(text: string, otherwise: number | undefined): Dim {
    if (/^[\w.]+$/.test(text) || this.bindings.has(text) || this.dims.has(text))
      return this.named(text, otherwise);
    const parsed = parseDim(text, (name) => this.named(name, BATCH.test(name) ? DEFAULT_BATCH : undefined));
    return isSymbolic(parsed) ? parsed : this.named(text, otherwise);
  }
}

/** Inputs that a caller feeds: an initializer of the same name makes an input a constant. */
export function fedInputs(graph: ModelGraph): ModelGraph['inputs'] {
  const constants = new Set(graph.initializers.map((initializer) => initializer.name));
  return graph.inputs.filter((input) => !constants.has(input.name));
}

type NamedDim = Extract<DeclaredDim, string>;

function isUnnamed(dim: DeclaredDim): dim is number | undefined {
  return dim === undefined || dim === '' || dim === '?' || dim === '-1' || typeof dim === 'number';
}

function convert(
  type: DeclaredType,
  dimOf: (dim: NamedDim | undefined, axis: number, rank: number) => Dim,
): ValueType {
  switch (type.kind) {
    case 'tensor':
    case 'sparse': {
      // A size below 0 is how some exporters write "unknown".
      const shape = type.shape?.map((dim, axis, all) =>
        typeof dim === 'number' && dim >= 0 && Number.isSafeInteger(dim)
          ? dim
          : dimOf(typeof dim === 'string' ? dim : undefined, axis, all.length),
      );
      return { kind: type.kind, type: type.type, shape };
    }
    case 'sequence':
    case 'optional':
      return { kind: type.kind, element: convert(type.element, dimOf) };
    case 'map':
      return { kind: 'map', keyType: type.keyType, value: convert(type.value, dimOf) };
    default:
      return { kind: 'unknown' };
  }
}

const TOKEN = /\s*(?:(\d+)|([A-Za-z_][\w.]*)|(\/\/|[-+*/()]))/y;

/** Sums, products and quotients of names and numbers; `undefined` where the text is anything else. */
function parseDim(text: string, nameOf: (name: string) => Dim): Dim {
  const tokens: string[] = [];
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.trimEnd().length;) {
    const match = TOKEN.exec(text);
    if (match === null || tokens.length > MAX_TOKENS) return undefined;
    tokens.push(match[1] ?? match[2] ?? match[3]);
  }
  // Names are declared only once the whole text has proved to be an expression.
  return expressionOf([...tokens], () => 2) === undefined ? undefined : expressionOf(tokens, nameOf);
}

const MAX_TOKENS = 32;

function expressionOf(tokens: string[], nameOf: (name: string) => Dim): Dim {
  const sum = (): Dim => {
    let left = term();
    while (tokens[0] === '+' || tokens[0] === '-')
      left = tokens.shift() === '+' ? add(left, term()) : subtract(left, term());
    return left;
  };
  const term = (): Dim => {
    let left = factor();
    while (tokens[0] === '*' || tokens[0]?.startsWith('/'))
      left = tokens.shift() === '*' ? multiply(left, factor()) : floorDivide(left, factor());
    return left;
  };
  const factor = (): Dim => {
    const token = tokens.shift();
    if (token === 'floor' && tokens[0] === '(') return factor();
    if (token === '(') {
      const inner = sum();
      return tokens.shift() === ')' ? inner : undefined;
    }
    if (token === undefined || /^\W/.test(token)) return undefined;
    return /^\d/.test(token) ? Number(token) : nameOf(token);
  };
  const result = sum();
  return tokens.length === 0 ? result : undefined;
}
