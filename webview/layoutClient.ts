import source from 'worker:./layoutWorker';
import type { ViewGraph } from '../src/protocol/webview';
import { slimGraph, type FromLayout, type ToLayout } from './layoutProtocol';

export type Opened = Extract<FromLayout, { kind: 'opened' }>;
export type Arranged = Extract<FromLayout, { kind: 'arranged' }>;

interface Waiting {
  resolve(answer: FromLayout): void;
  reject(error: Error): void;
  readonly part: ((arranged: Arranged) => void) | undefined;
}

/** The layout worker as promises; a webview can only start workers from a blob. */
export class LayoutClient {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting[]>();
  private nextKey = 1;

  constructor() {
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    this.worker = new Worker(url);
    this.worker.onmessage = ({ data }: MessageEvent<FromLayout>) => {
      const queue = this.waiting.get(data.key);
      if (data.kind === 'arranged' && data.isPart) {
        queue?.[0]?.part?.(data);
        return;
      }
      const next = queue?.shift();
      if (data.kind === 'failed') next?.reject(new Error(data.message));
      else next?.resolve(data);
    };
    this.worker.onerror = (event) => {
      const queues = [...this.waiting.values()];
      this.waiting.clear();
      for (const { reject } of queues.flat()) reject(new Error(event.message));
    };
  }

  open(graph: ViewGraph, open: Uint8Array | null): Promise<Opened> {
    return this.ask({ kind: 'open', key: this.nextKey++, ...slimGraph(graph), open }) as Promise<Opened>;
  }

  /** `part`: hears the upper part of a large scene ahead of the whole. */
  arrange(key: number, open: Uint8Array, part?: (arranged: Arranged) => void): Promise<Arranged> {
    const message = { kind: 'arrange', key, open, fromTop: part !== undefined } as const;
    return this.ask(message, part) as Promise<Arranged>;
  }

  close(key: number): void {
    this.worker.postMessage({ kind: 'close', key } satisfies ToLayout);
  }

  private ask(message: ToLayout, part?: Waiting['part']): Promise<FromLayout> {
    return new Promise((resolve, reject) => {
      const queue = this.waiting.get(message.key) ?? [];
      queue.push({ resolve, reject, part });
      this.waiting.set(message.key, queue);
      this.worker.postMessage(message);
    });
  }
}
