import type { AttributeValue } from '../graph/attributes';
import type { Initializer, ModelGraph } from '../onnx/model';

/** Longer lists and texts are cut, and say so. */
const MOST_VALUES = 64;
const LONGEST_TEXT = 2_000;

/** An attribute's value for people: `[1, 1]`, `"SAME_UPPER"`, `float32[2, 3]`, `graph body of 12 nodes`. */
export function attributeText(value: AttributeValue): string {
  switch (value.kind) {
    case 'int':
    case 'float':
      return String(value.value);
    case 'string':
      return cutText(JSON.stringify(value.value));
    case 'ints':
    case 'floats':
    case 'strings':
      return listText(value.value);
    case 'tensor':
      return initializerText(value.value as Initializer);
    case 'graph':
      return graphText(value.value as ModelGraph);
    case 'tensors':
      return `${value.value.length} tensors`;
    case 'graphs':
      return `${value.value.length} graphs`;
    case 'reference':
      return `attribute ${value.name} of the function`;
    case 'other':
      return value.description;
  }
}

function initializerText({ type, dims, values, strings }: Initializer): string {
  const shown = values ?? strings;
  return `${type ?? '?'}[${dims.join(', ')}]${shown === undefined ? '' : ` ${listText(shown)}`}`;
}

function graphText({ name, nodes }: ModelGraph): string {
  return `graph ${name} of ${nodes.length} nodes`;
}

/** `[1, 2, … 62 more]`; texts in quotes. */
export function listText(values: readonly (number | string)[]): string {
  const shown = values
    .slice(0, MOST_VALUES)
    .map((value) => (typeof value === 'string' ? JSON.stringify(value) : value));
  const more = values.length > MOST_VALUES ? `, … ${values.length - MOST_VALUES} more` : '';
  return cutText(`[${shown.join(', ')}${more}]`);
}

export function cutText(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
}

/** Where a weight's bytes are, for people; `undefined` for one that no initializer holds. */
export function locationText(initializer: Initializer | undefined): string {
  if (initializer === undefined) return 'computed from constants';
  const { payload } = initializer;
  if (payload.kind === 'none') return 'nowhere: the file has no data for it';
  if (payload.kind !== 'external') return 'in the file';
  const { location, state } = payload;
  switch (state) {
    case 'absent':
      return `${location} (absent)`;
    case 'short':
      return `${location} (too short)`;
    case 'refused':
      return `${location} (refused: outside the model's folder)`;
    default:
      return location;
  }
}
