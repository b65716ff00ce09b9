/** Bytes that a device holds from `times[i]` on, as a step function. */
export interface DeviceMemory {
  readonly times: Float64Array;
  readonly bytes: Float64Array;
}

/** Bytes held at a time (seconds): the last entry at or before it; NaN before the first. */
export function memoryAt(memory: DeviceMemory | undefined, seconds: number): number {
  if (memory === undefined) return NaN;
  let low = 0;
  let high = memory.times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (memory.times[middle] <= seconds) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? NaN : memory.bytes[low - 1];
}
