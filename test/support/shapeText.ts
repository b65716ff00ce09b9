import { text } from '../../src/core/shape/declared';
import type { InferredValue, ValueType } from '../../src/core/shape/types';

/** `float32[1, 2*h]`, `int64[2] = 3 h` where the values are known, `float32` without a shape, `?` without a type. */
export function describeValue(value: InferredValue | undefined): string {
  if (value === undefined) return '?';
  const values = value.values?.map((one) => (typeof one === 'object' ? one.text : (one ?? '?'))).join(' ');
  return describeType(value.type) + (values === undefined ? '' : ` = ${values}`);
}

export function describeType(type: ValueType): string {
  switch (type.kind) {
    case 'tensor':
    case 'sparse':
      return `${type.type ?? '?'}${type.shape ? text(type.shape) : ''}`;
    case 'sequence':
    case 'optional':
      return `${type.kind}(${describeType(type.element)})`;
    case 'map':
      return `map(${type.keyType}, ${describeType(type.value)})`;
    default:
      return '?';
  }
}
