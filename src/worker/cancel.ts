/** Whether the host has set the flag that it shares with this worker. */
export function isCancelled(flag: SharedArrayBuffer): boolean {
  return Atomics.load(new Int32Array(flag), 0) !== 0;
}
