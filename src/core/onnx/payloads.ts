import { ELEMENT_TYPE_BY_CODE, tensorBytes, type ElementType } from '../graph/elementType';

/** Integers and booleans up to this count are read, since shapes may depend on them. */
export const MOST_INTEGER_VALUES = 1024;
/** Floating-point values up to this count are read: scales, epsilons, bounds of a clip. */
export const MOST_FLOAT_VALUES = 16;
/** A tensor that is read at all takes no more bytes than this in the file, whatever its encoding. */
const LARGEST_READ = 16 * 1024;

/** Where a tensor's bytes lie in the file, and the bytes themselves where the tensor is small. */
export interface TensorPayload {
  /** 0: none. 9: `raw_data`, whose content is the range; others: the range covers whole records, tags included. */
  readonly field: number;
  readonly offset: number;
  readonly length: number;
  readonly bytes?: Uint8Array;
}

/** The product of dimensions; `undefined` where one is negative or it is not exact. */
export function elementCount(dims: readonly number[]): number | undefined {
  let count = 1;
  for (const dim of dims) {
    if (!(dim >= 0)) return undefined;
    count *= dim;
  }
  return Number.isSafeInteger(count) ? count : undefined;
}

const FLOATING = /^(float|bfloat|complex)/;

export function isSmallConstant(type: ElementType | undefined, elements: number | undefined): boolean {
  if (type === undefined || elements === undefined) return false;
  if (type === 'string') return elements <= MOST_FLOAT_VALUES;
  const most = FLOATING.test(type) ? MOST_FLOAT_VALUES : MOST_INTEGER_VALUES;
  return elements <= most && tensorBytes(type, elements) !== undefined;
}

/** Collects what the scanner sees of the tensor that it is in. Tensors do not nest. */
export class PayloadRecorder {
  readonly payloads: TensorPayload[] = [];
  private dims: number[] = [];
  private typeCode = 0;
  private payloadField = 0;
  private offset = 0;
  private end = 0;

  begin(): void {
    this.dims = [];
    this.typeCode = 0;
    this.payloadField = 0;
  }

  dim(value: number): void {
    this.dims.push(value);
  }

  elementType(code: number): void {
    this.typeCode = code;
  }

  /** A payload record from its tag at `at`, its content from `from` to `end`. `raw_data` wins over typed fields. */
  payload(field: number, at: number, from: number, end: number): void {
    if (field === 9 || this.payloadField === 0) {
      this.payloadField = field;
      this.offset = field === 9 ? from : at;
      this.end = end;
    } else if (field === this.payloadField) this.end = end;
  }

  /** Ends the tensor; `read` fetches the bytes of one that is small. Its position in `payloads`. */
  finish(read: (offset: number, length: number) => Uint8Array): number {
    const field = this.payloadField;
    const length = field === 0 ? 0 : this.end - this.offset;
    const wanted = field !== 0 && length <= LARGEST_READ;
    const small = wanted && isSmallConstant(ELEMENT_TYPE_BY_CODE[this.typeCode], elementCount(this.dims));
    const place = { field, offset: field === 0 ? 0 : this.offset, length };
    this.payloads.push(small ? { ...place, bytes: read(place.offset, length) } : place);
    return this.payloads.length - 1;
  }
}
