import { mergeShapes } from './broadcast';
import { merge } from './dim';
import { type Output, UNKNOWN_TYPE } from './operation';
import type { InferredValue, ValueType } from './types';

/** What holds for a value that is one of two: the result of a branch, or of any pass of a loop. */
export function mergeTypes(a: ValueType | undefined, b: ValueType | undefined): ValueType {
  if (a === undefined || b === undefined || a.kind === 'unknown' || b.kind === 'unknown') return UNKNOWN_TYPE;
  if ((a.kind === 'tensor' || a.kind === 'sparse') && (b.kind === 'tensor' || b.kind === 'sparse')) {
    const type = a.type === b.type ? a.type : undefined;
    return { kind: a.kind, type, shape: mergeShapes(a.shape, b.shape) };
  }
  if (a.kind === 'optional' && b.kind !== 'optional') return mergeTypes(a, { kind: 'optional', element: b });
  if (b.kind === 'optional' && a.kind !== 'optional') return mergeTypes({ kind: 'optional', element: a }, b);
  if (a.kind === 'sequence' && b.kind === 'sequence')
    return { kind: 'sequence', element: mergeElements(a.element, b.element) };
  if (a.kind === 'optional' && b.kind === 'optional')
    return { kind: 'optional', element: mergeElements(a.element, b.element) };
  if (a.kind === 'map' && b.kind === 'map') return a;
  return UNKNOWN_TYPE;
}

/** An empty sequence or optional says nothing of its elements. */
function mergeElements(a: ValueType, b: ValueType): ValueType {
  if (isBare(a)) return b;
  if (isBare(b)) return a;
  return mergeTypes(a, b);
}

function isBare(type: ValueType): boolean {
  return (
    type.kind === 'unknown' || (type.kind === 'tensor' && type.type === undefined && type.shape === undefined)
  );
}

export function mergeOutputs(
  a: Output | InferredValue | undefined,
  b: Output | InferredValue | undefined,
): Output | undefined {
  if (a === undefined || b === undefined) return undefined;
  const type = mergeTypes(a.type, b.type);
  const sameLength = a.values !== undefined && a.values.length === b.values?.length;
  const values = sameLength ? a.values!.map((value, at) => merge(value, b.values![at])) : undefined;
  const sameElements = a.elements !== undefined && a.elements === b.elements;
  return { type, values, elements: sameElements ? a.elements : undefined };
}

/** The same as far as inference can tell: a loop that gives this back has settled. */
export function isSettled(a: Output | InferredValue | undefined, b: Output | undefined): boolean {
  return describe(a) === describe(b);
}

function describe(value: Output | InferredValue | undefined): string {
  if (value === undefined) return '';
  const values = value.values?.map((one) => (typeof one === 'object' ? one.text : String(one)));
  return `${describeType(value.type)} ${values ?? '?'} ${value.elements?.length}`;
}

function describeType(type: ValueType): string {
  if (type.kind === 'sequence' || type.kind === 'optional')
    return `${type.kind}(${describeType(type.element)})`;
  if (type.kind === 'map' || type.kind === 'unknown') return type.kind;
  return `${type.type}[${type.shape?.map((dim) => (typeof dim === 'object' ? dim.text : String(dim))) ?? '?'}]`;
}
