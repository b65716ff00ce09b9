import { tensorBytes, type ElementType } from '../graph/elementType';
import type { KnownBytes, Shape } from '../graph/graph';
import { NONE, type OperatorId, type StorageId, type TensorId } from '../graph/units';
import { elementCount } from '../onnx/payloads';
import type { Initializer } from '../onnx/model';
import type { Dim, InferredValue, ValueType } from '../shape/types';
import type { Folding } from './folding';
import type { GraphSource } from './source';

/** A tensor while the graph is built. */
export interface DraftTensor {
  readonly id: TensorId;
  readonly name: string;
  type: ElementType | undefined;
  shape: Shape | undefined;
  shapeText: string;
  bytes: number | undefined;
  isWeight: boolean;
  storage: StorageId;
  producer: OperatorId;
  /** Ascending; filled as operators are added in order. */
  readonly consumers: OperatorId[];
  values?: readonly number[];
  sharesWeight?: TensorId;
  isBodyWeights?: boolean;
}

/** Dimensions under the bindings in force. */
interface KnownShape {
  readonly sizes: Shape;
  readonly text: string;
  readonly elements: number | undefined;
}

/** The tensors of a graph by name, made when first met. */
export class TensorTable {
  readonly tensors: DraftTensor[] = [];
  private readonly byName = new Map<string, TensorId>();
  private readonly bodies = new Map<object, TensorId>();
  private readonly shapes = new Map<readonly Dim[], KnownShape>();

  constructor(
    private readonly source: GraphSource,
    private readonly folding: Folding,
    private readonly bindings: ReadonlyMap<string, number>,
  ) {}

  /** The tensor that a reader of `name` reads; `NONE` for the empty name of an omitted input. */
  read(name: string): TensorId {
    if (name === '') return NONE;
    const known = this.byName.get(name);
    if (known !== undefined) return known;
    return this.folding.isConstant(name) ? this.addWeight(name) : this.add(name);
  }

  /** The tensor that an operator makes; a second producer of a name makes a tensor that nobody reads. */
  produce(name: string, producer: OperatorId): TensorId {
    if (name === '') return NONE;
    const id = this.add(name);
    this.tensors[id].producer = producer;
    return id;
  }

  /** The weights inside a body as one tensor of bytes, `key` being the body that holds them. */
  bodyWeights(key: object, owner: string, { bytes, known }: KnownBytes): TensorId {
    const before = this.bodies.get(key);
    if (before !== undefined) return before;
    const id = this.tensors.length;
    this.bodies.set(key, id);
    const size = known ? bytes : undefined;
    this.tensors.push({
      id,
      name: `${owner} (weights inside)`,
      type: 'uint8',
      shape: [size],
      shapeText: shapeText([size]),
      bytes: size,
      isWeight: true,
      storage: NONE,
      producer: NONE,
      consumers: [],
      isBodyWeights: true,
    });
    return id;
  }

  private add(name: string): TensorId {
    const id = this.tensors.length;
    if (!this.byName.has(name)) this.byName.set(name, id);
    const tensor: DraftTensor = {
      id,
      name,
      type: undefined,
      shape: undefined,
      shapeText: '?',
      bytes: undefined,
      isWeight: false,
      storage: NONE,
      producer: NONE,
      consumers: [],
    };
    this.tensors.push(tensor);
    const initializer = this.source.initializers.get(name);
    if (initializer !== undefined) describeWeight(tensor, initializer);
    else this.describe(tensor, this.source.inferred.values.get(name));
    return id;
  }

  private describe(tensor: DraftTensor, value: InferredValue | undefined): void {
    if (value === undefined) return;
    const { type } = value;
    if (type.kind !== 'tensor') tensor.shapeText = typeText(type);
    else if (type.shape !== undefined) {
      const { sizes, text, elements } = this.shape(type.shape);
      tensor.shape = sizes;
      tensor.shapeText = text;
      if (type.type !== undefined && elements !== undefined) tensor.bytes = tensorBytes(type.type, elements);
    }
    if (type.kind === 'tensor') tensor.type = type.type;
  }

  /** Operators that keep their input's shape hand the very same list on: most are known. */
  private shape(dims: readonly Dim[]): KnownShape {
    const known = this.shapes.get(dims);
    if (known !== undefined) return known;
    const sizes = dims.map((dim) => boundDim(dim, this.bindings));
    const elements = sizes.includes(undefined) ? undefined : elementCount(sizes as number[]);
    const shape = { sizes, text: shapeText(dims), elements };
    this.shapes.set(dims, shape);
    return shape;
  }

  private addWeight(name: string): TensorId {
    const root = this.folding.root(name);
    const shared = root === name || root === '' ? undefined : this.read(root);
    const tensor = this.tensors[this.add(name)];
    tensor.isWeight = true;
    const values = this.folding.values(name);
    if (values !== undefined) tensor.values = values;
    if (shared !== undefined) tensor.sharesWeight = shared;
    return tensor.id;
  }
}

function describeWeight(tensor: DraftTensor, { type, dims, bytes }: Initializer): void {
  tensor.type = type;
  tensor.shape = dims;
  tensor.shapeText = shapeText(dims);
  tensor.bytes = bytes;
}

export function boundDim(dim: Dim, bindings: ReadonlyMap<string, number>): number | undefined {
  const value = typeof dim === 'object' ? dim.evaluate(bindings) : dim;
  return value !== undefined && value >= 0 && Number.isSafeInteger(value) ? value : undefined;
}

function shapeText(shape: readonly Dim[]): string {
  return `[${shape.map((dim) => (typeof dim === 'object' ? dim.text : (dim ?? '?'))).join(', ')}]`;
}

/** `[1, 3, 224, 224]`; `sequence of float32[N, 4]`; `?` where nothing is known. */
export function typeText(type: ValueType): string {
  switch (type.kind) {
    case 'tensor':
      return type.shape ? shapeText(type.shape) : '?';
    case 'sparse':
      return `sparse ${type.shape ? shapeText(type.shape) : '?'}`;
    case 'sequence':
      return `sequence of ${elementText(type.element)}`;
    case 'optional':
      return `optional ${elementText(type.element)}`;
    case 'map':
      return `map of ${type.keyType ?? '?'} to ${elementText(type.value)}`;
    default:
      return '?';
  }
}

function elementText(type: ValueType): string {
  return type.kind === 'tensor' ? `${type.type ?? ''}${typeText(type)}` : typeText(type);
}
