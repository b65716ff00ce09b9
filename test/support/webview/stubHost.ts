import { failureOf, type Envelope } from '../../../src/protocol/rpc';
import { OpenModel } from '../../../src/worker/openModel';

/**
 * The extension host's place in a plain browser: a worker that reads a model with the real engine and answers
 * the webview's requests as the real worker does.
 */
interface OpenMessage {
  readonly kind: 'open';
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly plan: string | null;
}

/** A plan that is shown unsaved; `null`: the saved one again. */
interface ShowMessage {
  readonly kind: 'show';
  readonly text: string | null;
}

interface WorkerScope {
  onmessage: ((event: { readonly data: OpenMessage | ShowMessage | Envelope }) => void) | null;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as WorkerScope;
let model: OpenModel | undefined;

function open({ name, bytes, plan }: OpenMessage): void {
  const read = OpenModel.read({
    model: { kind: 'bytes', name, bytes },
    plan: plan === null ? { kind: 'none' } : { kind: 'text', name: `${name}.memorianova.json`, text: plan },
    ...{ bindings: {}, fuse: 'none', inPlace: 'none' },
  });
  model = read;
  const state = read.state({ inPlace: 'none' });
  scope.postMessage({ kind: 'notice', name: 'document', params: state.document });
  scope.postMessage({ kind: 'notice', name: 'plan', params: state.plan });
}

function answer(name: string, params: unknown): unknown {
  if (model === undefined) throw new Error('No model is open.');
  const { operator, tensor, graph, body } = params as Record<string, never>;
  if (name === 'operatorDetails') return model.operatorDetails(operator, graph);
  if (name === 'tensorDetails') return model.tensorDetails(tensor, graph);
  if (name === 'costAnalysis') return model.costAnalysis(operator);
  if (name === 'body') return model.body(operator, graph, body);
  if (name === 'replay') return model.replay();
  if (name === 'holdings') return model.holdings();
  throw new Error(`The stub does not answer ${name}.`);
}

scope.onmessage = ({ data }) => {
  if (data.kind === 'open') {
    try {
      open(data);
    } catch (error) {
      const params = { kind: 'failed', fileName: data.name, message: failureOf(error).message };
      scope.postMessage({ kind: 'notice', name: 'document', params });
    }
  } else if (data.kind === 'show') {
    scope.postMessage({ kind: 'notice', name: 'plan', params: model!.showPlan(data.text) });
  } else if (data.kind === 'request') {
    try {
      scope.postMessage({ kind: 'reply', id: data.id, result: answer(data.name, data.params) });
    } catch (error) {
      scope.postMessage({ kind: 'failure', id: data.id, failure: failureOf(error) });
    }
  }
};
