/** Element types of ONNX tensors under the names that files and screens show, with their size in bits. */
export const ELEMENT_BITS = {
  float32: 32,
  uint8: 8,
  int8: 8,
  uint16: 16,
  int16: 16,
  int32: 32,
  int64: 64,
  /** Strings have no fixed size: their tensors' bytes are unknown. */
  string: undefined,
  bool: 8,
  float16: 16,
  float64: 64,
  uint32: 32,
  uint64: 64,
  complex64: 64,
  complex128: 128,
  bfloat16: 16,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  uint4: 4,
  int4: 4,
  float4e2m1: 4,
  float8e8m0: 8,
  uint2: 2,
  int2: 2,
} as const satisfies Record<string, number | undefined>;

export type ElementType = keyof typeof ELEMENT_BITS;

/** `TensorProto.DataType` number -> element type; `undefined` for 0 (undefined) and numbers not in the format. */
export const ELEMENT_TYPE_BY_CODE: readonly (ElementType | undefined)[] = [
  undefined,
  ...(Object.keys(ELEMENT_BITS) as ElementType[]),
];

/**
 * `ceil(elements * bits / 8)`: sub-byte types are packed. `undefined` (unknown) where the type has no fixed
 * size or the result is not an exact integer.
 */
export function tensorBytes(type: ElementType, elements: number): number | undefined {
  const bits = ELEMENT_BITS[type];
  if (bits === undefined) return undefined;
  const bytes = bits >= 8 ? elements * (bits / 8) : Math.ceil((elements * bits) / 8);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
