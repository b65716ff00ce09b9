/**
 * Typed messages over any channel (a webview's `postMessage`, a worker's port). Each direction has a table of
 * requests (`params`, `reply`) and one of notices (no reply); the reply's type follows from the request's name,
 * and a missing or wrong handler does not compile.
 */
export interface Direction {
  readonly requests: object;
  readonly notices: object;
}

type Requests<D extends Direction> = D['requests'];
type Notices<D extends Direction> = D['notices'];
type Params<R> = R extends { params: infer P } ? P : never;
type Reply<R> = R extends { reply: infer P } ? P : never;

export type RequestHandlers<D extends Direction> = {
  readonly [N in keyof Requests<D>]: (
    params: Params<Requests<D>[N]>,
  ) => Reply<Requests<D>[N]> | Promise<Reply<Requests<D>[N]>>;
};
export type NoticeHandlers<D extends Direction> = {
  readonly [N in keyof Notices<D>]: (params: Notices<D>[N]) => void;
};

/** Everything that one side must answer. */
export interface Handlers<D extends Direction> {
  readonly requests: RequestHandlers<D>;
  readonly notices: NoticeHandlers<D>;
}

export type Envelope =
  | { readonly kind: 'request'; readonly id: number; readonly name: string; readonly params: unknown }
  | { readonly kind: 'notice'; readonly name: string; readonly params: unknown }
  | { readonly kind: 'reply'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure };

/** An error as data. `expected`: its message is a sentence for the user (bad input), not a defect of ours. */
export interface Failure {
  readonly message: string;
  readonly expected: boolean;
  readonly stack?: string;
}

/** A failure of the other side, thrown here. */
export class RemoteError extends Error {
  readonly expected: boolean;
  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'RemoteError';
    this.expected = failure.expected;
    if (failure.stack !== undefined) this.stack = failure.stack;
  }
}

/** Errors by class name, so that they are recognised across bundles and threads. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { message: String(error), expected: false };
  const expected = error.name === 'InputError' || (error instanceof RemoteError && error.expected);
  return { message: error.message, expected, ...(error.stack === undefined ? {} : { stack: error.stack }) };
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** One end of a channel: sends `Out`, answers `In`. Whoever owns the channel passes what arrives to `receive`. */
export class Connection<Out extends Direction, In extends Direction> {
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private closedBy: string | undefined;

  constructor(
    private readonly post: (message: Envelope) => void,
    private readonly handlers: Handlers<In>,
  ) {}

  request<N extends keyof Requests<Out> & string>(
    name: N,
    params: Params<Requests<Out>[N]>,
  ): Promise<Reply<Requests<Out>[N]>> {
    if (this.closedBy !== undefined) return Promise.reject(new Error(this.closedBy));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.post({ kind: 'request', id, name, params });
    });
  }

  notify<N extends keyof Notices<Out> & string>(name: N, params: Notices<Out>[N]): void {
    if (this.closedBy === undefined) this.post({ kind: 'notice', name, params });
  }

  receive(message: Envelope): void {
    if (message.kind === 'request') void this.answer(message.id, message.name, message.params);
    else if (message.kind === 'notice') this.handler(this.handlers.notices, message.name)?.(message.params);
    else this.settle(message);
  }

  /** Every request that waits fails with `reason`; later ones fail at once. */
  close(reason: string): void {
    this.closedBy = reason;
    for (const { reject } of this.pending.values()) reject(new Error(reason));
    this.pending.clear();
  }

  private async answer(id: number, name: string, params: unknown): Promise<void> {
    try {
      const handler = this.handler(this.handlers.requests, name);
      if (handler === undefined) throw new Error(`No handler for request ${name}.`);
      this.post({ kind: 'reply', id, result: await handler(params) });
    } catch (error) {
      this.post({ kind: 'failure', id, failure: failureOf(error) });
    }
  }

  private settle(message: Extract<Envelope, { id: number }>): void {
    const waiting = this.pending.get(message.id);
    this.pending.delete(message.id);
    if (message.kind === 'reply') waiting?.resolve(message.result);
    else if (message.kind === 'failure') waiting?.reject(new RemoteError(message.failure));
  }

  /** Names come from outside: only a table's own entries count. */
  private handler(table: object, name: string): ((params: unknown) => unknown) | undefined {
    if (!Object.hasOwn(table, name)) return undefined;
    return (table as Record<string, (params: unknown) => unknown>)[name];
  }
}
