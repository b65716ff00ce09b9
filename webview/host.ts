import { Connection, type Envelope, type Handlers } from '../src/protocol/rpc';
import type { HostToWebview, WebviewToHost } from '../src/protocol/webview';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

export type Host = Connection<WebviewToHost, HostToWebview>;

/** The channel to the extension host. */
export function connect(handlers: Handlers<HostToWebview>): { host: Host; memory: SavedState } {
  const api = acquireVsCodeApi();
  const host: Host = new Connection((message: Envelope) => api.postMessage(message), handlers);
  window.addEventListener('message', (event: MessageEvent<Envelope>) => {
    if (isEnvelope(event.data)) host.receive(event.data);
  });
  return { host, memory: new SavedState(api) };
}

function isEnvelope(data: unknown): data is Envelope {
  return typeof data === 'object' && data !== null && 'kind' in data;
}

/** What a hidden tab gets back when it is shown again. */
export interface ViewState {
  readonly open?: readonly number[];
  readonly camera?: { readonly k: number; readonly x: number; readonly y: number };
  readonly colorMode?: string;
  readonly tab?: string;
  readonly selected?: number;
  readonly properties?: boolean;
  readonly outline?: boolean;
}

const SAVE_AFTER_MILLISECONDS = 250;

export class SavedState {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly api: VsCodeApi) {}

  read(): ViewState {
    const state = this.api.getState();
    return typeof state === 'object' && state !== null ? state : {};
  }

  /** Soon, and once for many changes. */
  save(state: () => ViewState): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.api.setState(state()), SAVE_AFTER_MILLISECONDS);
  }
}
