import type { ToLayout } from './layoutProtocol';
import { Arranger, transferables } from './scene/arranger';

/** The layout worker of the webview: a message in, its answers out. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ToLayout>) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
const arranger = new Arranger();
scope.onmessage = ({ data }) => {
  for (const answer of arranger.answers(data)) scope.postMessage(answer, transferables(answer));
};
