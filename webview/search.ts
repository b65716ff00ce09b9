import type { ViewGraph } from '../src/protocol/webview';

/** What a search finds: an operator, or a tensor. */
export type Found =
  { readonly kind: 'operator'; readonly id: number } | { readonly kind: 'tensor'; readonly id: number };

/**
 * Search over operators' types and names and tensors' names and shapes. All texts are joined once into one
 * lower-case string, so that a key costs one pass over it, whatever the number of operators.
 */
export class SearchIndex {
  private readonly text: string;
  private readonly ends: Uint32Array;

  constructor(private readonly graph: ViewGraph) {
    const { operators, tensors } = graph;
    const count = operators.names.length + tensors.names.length;
    const parts: string[] = [];
    this.ends = new Uint32Array(count);
    let length = 0;
    const add = (i: number, part: string): void => {
      parts.push(part);
      length += part.length + 1;
      this.ends[i] = length;
    };
    operators.names.forEach((name, op) => add(op, `${operators.typeNames[operators.types[op]]} ${name}`));
    tensors.names.forEach((name, t) =>
      add(operators.names.length + t, `${name} ${tensors.shapeNames[tensors.shapes[t]]}`),
    );
    this.text = `${parts.join('\n')}\n`.toLowerCase();
  }

  /** Every word of the query must occur; operators first, each once, in the order of the graph. */
  find(query: string): Found[] {
    const words = query
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '');
    if (words.length === 0) return [];
    const operatorCount = this.graph.operators.names.length;
    const found: Found[] = [];
    let entry = 0;
    for (let at = this.text.indexOf(words[0]); at !== -1; at = this.text.indexOf(words[0], at)) {
      while (this.ends[entry] <= at) entry++;
      const begin = entry === 0 ? 0 : this.ends[entry - 1];
      const line = words.length > 1 ? this.text.slice(begin, this.ends[entry]) : '';
      if (words.slice(1).every((word) => line.includes(word))) {
        found.push(
          entry < operatorCount
            ? { kind: 'operator', id: entry }
            : { kind: 'tensor', id: entry - operatorCount },
        );
      }
      at = this.ends[entry];
    }
    return found;
  }
}
