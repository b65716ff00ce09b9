import type { ToLayout } from './layoutProtocol';
import { Arranger, transferables } from './scene/arranger';

/** The layout worker of the webview: one message in, one answer out. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ToLayout>) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
const arranger = new Arranger();
scope.onmessage = ({ data }) => {
  const answer = arranger.answer(data);
  if (answer !== undefined) scope.postMessage(answer, transferables(answer));
};
