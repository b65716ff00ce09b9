/** Something wrong or noteworthy in an input file, as data: one clear sentence, and where. */
export interface Problem {
  readonly severity: 'error' | 'warning' | 'info';
  /** One sentence: what is wrong, where, and what to do about it. */
  readonly message: string;
  /** Byte offset in the file, where there is one. */
  readonly offset?: number;
  /** Index in `graph.node` of the main graph, where it concerns an operator. */
  readonly node?: number;
  /** Name of the tensor concerned. */
  readonly tensor?: string;
}

/** An input that cannot be used at all. `message` is the sentence that the user sees. */
export class InputError extends Error {
  constructor(
    message: string,
    readonly offset?: number,
  ) {
    super(message);
    this.name = 'InputError';
  }
}
