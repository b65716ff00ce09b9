/** How often a thread that waits for workers looks whether they should stop. */
const POLL_MS = 25;

/** Tells worker threads to come to an end: one 32-bit number in shared memory, not zero once they should. */
export class StopFlag {
  readonly buffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);

  /** @param isStopped asked while workers are waited for */
  constructor(private readonly isStopped: () => boolean) {}

  /** Waits for workers' answers; `stopped` hears, perhaps again and again, that they were told to stop meanwhile. */
  async while<T>(answers: Promise<T>, stopped: () => void = () => undefined): Promise<T> {
    const poll = setInterval(() => this.pass() && stopped(), POLL_MS);
    try {
      return await answers;
    } finally {
      clearInterval(poll);
    }
  }

  /** Raises the flag where it is time to; returns whether. */
  pass(): boolean {
    if (!this.isStopped()) return false;
    Atomics.store(new Int32Array(this.buffer), 0, 1);
    return true;
  }
}

/** The other side: whether the flag is raised. */
export function flagReader(buffer: SharedArrayBuffer): () => boolean {
  const flag = new Int32Array(buffer);
  return () => Atomics.load(flag, 0) !== 0;
}
