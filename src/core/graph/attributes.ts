/** Attribute values as plain data. Integers beyond 2^53 are rounded (only ever used as "to the end" markers). */
export type AttributeValue =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  /** `initializer` names the decoded tensor; see `onnx/model.ts`. */
  | { readonly kind: 'tensor'; readonly value: unknown }
  | { readonly kind: 'tensors'; readonly value: readonly unknown[] }
  | { readonly kind: 'graph'; readonly value: unknown }
  | { readonly kind: 'graphs'; readonly value: readonly unknown[] }
  /** Refers to an attribute of the enclosing function. */
  | { readonly kind: 'reference'; readonly name: string }
  | { readonly kind: 'other'; readonly description: string };

export type Attributes = ReadonlyMap<string, AttributeValue>;

export function intAttribute(attributes: Attributes, name: string, otherwise: number): number {
  const found = attributes.get(name);
  return found?.kind === 'int' ? found.value : otherwise;
}

export function floatAttribute(attributes: Attributes, name: string, otherwise: number): number {
  const found = attributes.get(name);
  return found?.kind === 'float' ? found.value : otherwise;
}

export function stringAttribute(attributes: Attributes, name: string, otherwise: string): string {
  const found = attributes.get(name);
  return found?.kind === 'string' ? found.value : otherwise;
}

export function intsAttribute(attributes: Attributes, name: string): readonly number[] | undefined {
  const found = attributes.get(name);
  return found?.kind === 'ints' ? found.value : undefined;
}
