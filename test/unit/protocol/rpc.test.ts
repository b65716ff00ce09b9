import assert from 'node:assert';
import { InputError } from '../../../src/core/graph/problem';
import { Connection, type Envelope, type Handlers, RemoteError } from '../../../src/protocol/rpc';

interface Asks {
  requests: { double: { params: { value: number }; reply: number } };
  notices: { told: { text: string } };
}
interface Nothing {
  requests: object;
  notices: object;
}
const NO_HANDLERS: Handlers<Nothing> = { requests: {}, notices: {} };

/** Two ends joined; messages go through a structured clone, as they do between threads. */
function pair(handlers: Handlers<Asks>): Connection<Asks, Nothing> {
  const there: Connection<Nothing, Asks> = new Connection(
    (message) => queueMicrotask(() => here.receive(structuredClone(message))),
    handlers,
  );
  const here: Connection<Asks, Nothing> = new Connection(
    (message) => queueMicrotask(() => there.receive(structuredClone(message))),
    NO_HANDLERS,
  );
  return here;
}

const told: string[] = [];
const handlers: Handlers<Asks> = {
  requests: { double: ({ value }) => value * 2 },
  notices: { told: ({ text }) => void told.push(text) },
};

describe('connection', () => {
  it('answers requests, also several at once', async () => {
    const here = pair(handlers);
    const replies = await Promise.all([1, 2, 3].map((value) => here.request('double', { value })));
    assert.deepEqual(replies, [2, 4, 6]);
  });

  it('passes notices', async () => {
    const here = pair(handlers);
    here.notify('told', { text: 'hello' });
    await here.request('double', { value: 1 });
    assert.deepEqual(told, ['hello']);
  });

  it('carries a bad input as expected, a defect as unexpected', async () => {
    const failing = (error: Error): Connection<Asks, Nothing> =>
      pair({ ...handlers, requests: { double: () => Promise.reject(error) } });
    const expected = { name: 'RemoteError', message: 'too short', expected: true };
    await assert.rejects(failing(new InputError('too short')).request('double', { value: 1 }), expected);
    const defect = { name: 'RemoteError', message: 'x is undefined', expected: false };
    await assert.rejects(failing(new TypeError('x is undefined')).request('double', { value: 1 }), defect);
  });

  it('keeps an error expected over two hops', async () => {
    const far = new RemoteError({ message: 'too short', expected: true });
    const here = pair({ ...handlers, requests: { double: () => Promise.reject(far) } });
    await assert.rejects(here.request('double', { value: 1 }), { expected: true });
  });

  it('fails what waits when it is closed, and what comes later', async () => {
    const here = pair({ ...handlers, requests: { double: () => new Promise<number>(() => undefined) } });
    const waiting = here.request('double', { value: 1 });
    here.close('gone');
    await assert.rejects(waiting, /gone/);
    await assert.rejects(here.request('double', { value: 1 }), /gone/);
  });

  it('refuses names that are not in the table', async () => {
    const sent: Envelope[] = [];
    const there: Connection<Nothing, Asks> = new Connection((message) => sent.push(message), handlers);
    for (const name of ['toString', '__proto__', 'other'])
      there.receive({ kind: 'request', id: 7, name, params: {} });
    there.receive({ kind: 'notice', name: 'constructor', params: {} });
    there.receive({ kind: 'reply', id: 99, result: 1 });
    await Promise.resolve();
    assert.deepEqual(
      sent.map(({ kind }) => kind),
      ['failure', 'failure', 'failure'],
    );
  });
});
