import type { Attributes } from '../graph/attributes';
import type { ElementType } from '../graph/elementType';
import type { Problem } from '../graph/problem';

/**
 * A decoded `.onnx` file without its weight payloads: structure only. Everything in the format is kept that
 * analysis or view needs; weights are known by type, shape and where their bytes are.
 */
export interface Model {
  readonly irVersion: number;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly domain: string;
  readonly modelVersion: number;
  readonly docString: string;
  /** Domain (`''` = `ai.onnx`) -> imported version. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: readonly (readonly [string, string])[];
  readonly graph: ModelGraph;
  readonly functions: readonly ModelFunction[];
  /** Multi-device configurations (IR 11) that the file declares. */
  readonly configurations?: readonly {
    readonly name: string;
    readonly deviceCount: number;
    readonly devices: readonly string[];
  }[];
  readonly trainingInfoCount: number;
  /** Size of the file, and SHA-256 over the file without its weight payloads (hex). */
  readonly fileBytes: number;
  readonly structureSha256: string;
  readonly problems: readonly Problem[];
}

export interface ModelGraph {
  readonly name: string;
  readonly docString: string;
  /** In file order; `index` is the position. */
  readonly nodes: readonly ModelNode[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly valueInfo: readonly ValueInfo[];
  /** Sparse ones at the end, as dense tensors with a payload of kind `sparse`. */
  readonly initializers: readonly Initializer[];
  readonly metadata?: readonly (readonly [string, string])[];
  /** Quantization annotations: tensor -> (role, name of the tensor that holds it), e.g. `SCALE_TENSOR`. */
  readonly quantization?: readonly {
    readonly tensor: string;
    readonly parameters: readonly (readonly [string, string])[];
  }[];
}

export interface ModelNode {
  readonly index: number;
  readonly name: string;
  readonly type: string;
  /** `''` for `ai.onnx`. */
  readonly domain: string;
  readonly overload: string;
  readonly docString: string;
  /** Tensor names; `''` for an omitted optional. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** `tensor` attributes hold an `Initializer`, `graph` attributes a `ModelGraph`. */
  readonly attributes: Attributes;
  readonly metadata: readonly (readonly [string, string])[];
  /** Ids of the multi-device configurations (IR 11) that say something about this node. */
  readonly deviceConfigurations?: readonly string[];
}

export interface ModelFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributeNames: readonly string[];
  readonly attributeDefaults: Attributes;
  readonly opsets: ReadonlyMap<string, number>;
  readonly nodes: readonly ModelNode[];
  readonly valueInfo: readonly ValueInfo[];
}

/** A dimension as declared: a number, a name, or nothing. */
export type DeclaredDim = number | string | undefined;

export type DeclaredType =
  | {
      readonly kind: 'tensor';
      readonly type: ElementType | undefined;
      readonly shape: readonly DeclaredDim[] | undefined;
    }
  | {
      readonly kind: 'sparse';
      readonly type: ElementType | undefined;
      readonly shape: readonly DeclaredDim[] | undefined;
    }
  | { readonly kind: 'sequence'; readonly element: DeclaredType }
  | { readonly kind: 'optional'; readonly element: DeclaredType }
  | { readonly kind: 'map'; readonly keyType: ElementType | undefined; readonly value: DeclaredType }
  | { readonly kind: 'unknown' };

export interface ValueInfo {
  readonly name: string;
  readonly type: DeclaredType;
}

/** A constant tensor: an initializer, the value of a `Constant` node, or a tensor attribute. */
export interface Initializer {
  readonly name: string;
  readonly type: ElementType | undefined;
  readonly dims: readonly number[];
  /** Dense size by type and dims; `undefined` where unknown. */
  readonly bytes: number | undefined;
  readonly payload: Payload;
  /** Row-major values where they were read: integers and booleans of up to 1,024 elements, floats of up to 16. */
  readonly values?: readonly number[];
  readonly strings?: readonly string[];
}

export type Payload =
  /** `raw_data` in the model file: `length` bytes at `offset`. */
  | { readonly kind: 'raw'; readonly offset: number; readonly length: number }
  /** A typed repeated field (`float_data`, ...) in the model file: the range that covers all of its records. */
  | { readonly kind: 'typed'; readonly field: number; readonly offset: number; readonly length: number }
  | {
      readonly kind: 'external';
      readonly location: string;
      /** 0 where the file does not say; -1 where it says something that is no offset. */
      readonly offset: number;
      readonly length: number | undefined;
      /** Filled in by the engine, which alone sees the disk; `unchecked` until then. */
      readonly state: 'unchecked' | 'present' | 'absent' | 'short' | 'refused';
    }
  | { readonly kind: 'sparse'; readonly nonZeroBytes: number }
  | { readonly kind: 'none' };

/**
 * Random access to the bytes of a file. The engine implements it over a file descriptor or over bytes in
 * memory; the core never opens anything.
 */
export interface ByteSource {
  readonly size: number;
  /** Exactly `length` bytes at `offset`; throws `InputError` where the file is shorter. */
  read(offset: number, length: number): Uint8Array;
}
