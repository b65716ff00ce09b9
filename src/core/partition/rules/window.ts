import { intsAttribute, stringAttribute } from '../../graph/attributes';
import type { AttributeOverrides, NodeFacts } from './node';
import { intsValue } from './node';

/** A sliding window along one spatial axis (0 = the first after batch and channels). */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBegin: number;
  readonly padEnd: number;
  readonly input: number;
  readonly output: number;
}

/** Elements that one window spans. */
export function extent(window: Window): number {
  return window.dilation * (window.kernel - 1) + 1;
}

/**
 * Windows of a convolution or pooling per spatial axis, with `auto_pad` made explicit, or `undefined` where
 * the attributes do not fit the shapes. `kernel` is the window's size per spatial axis.
 */
export function spatialWindows(facts: NodeFacts, kernel: readonly number[]): Window[] | undefined {
  const input = facts.inputs[0]?.shape.slice(2);
  const output = facts.outputs[0]?.shape.slice(2);
  if (input === undefined || output === undefined || kernel.length !== input.length) return undefined;
  const attributes = facts.node.attributes;
  const strides = intsAttribute(attributes, 'strides');
  const dilations = intsAttribute(attributes, 'dilations');
  const pads = intsAttribute(attributes, 'pads');
  const autoPad = stringAttribute(attributes, 'auto_pad', 'NOTSET');
  return input.map((length, axis) => {
    const window = {
      kernel: kernel[axis],
      stride: strides?.[axis] ?? 1,
      dilation: dilations?.[axis] ?? 1,
      padBegin: pads?.[axis] ?? 0,
      padEnd: pads?.[axis + input.length] ?? 0,
      input: length,
      output: output[axis],
    };
    return autoPad === 'NOTSET' || autoPad === '' ? window : autoPadded(window, autoPad);
  });
}

function autoPadded(window: Window, autoPad: string): Window {
  if (autoPad === 'VALID') return { ...window, padBegin: 0, padEnd: 0 };
  const total = Math.max(0, (window.output - 1) * window.stride + extent(window) - window.input);
  const half = Math.floor(total / 2);
  const padBegin = autoPad === 'SAME_LOWER' ? total - half : half;
  return { ...window, padBegin, padEnd: total - padBegin };
}

/** False where some window lies wholly in the padding: a shard of only such windows would read nothing. */
export function everyWindowReads(window: Window): boolean {
  return (
    window.padBegin < extent(window) && (window.output - 1) * window.stride - window.padBegin < window.input
  );
}

/** First input element that output `start` reads, pads excluded. */
export function windowFrom(window: Window, start: number): number {
  return Math.max(0, start * window.stride - window.padBegin);
}

/** One past the last input element that output `end - 1` reads, pads excluded. */
export function windowTo(window: Window, end: number): number {
  return Math.min(window.input, (end - 1) * window.stride - window.padBegin + extent(window));
}

/** The explicit `pads` of a shard `[start, end)` of spatial axis `cut`: only the edge shards keep theirs. */
export function shardPads(
  windows: readonly Window[],
  cut: number,
  start: number,
  end: number,
): AttributeOverrides {
  const begin = windows.map((window) => window.padBegin);
  const finish = windows.map((window) => window.padEnd);
  const window = windows[cut];
  begin[cut] = Math.max(0, window.padBegin - start * window.stride);
  const beyond = (end - 1) * window.stride - window.padBegin + extent(window) - window.input;
  finish[cut] = Math.min(window.padEnd, Math.max(0, beyond));
  return new Map([
    ['pads', intsValue([...begin, ...finish])],
    ['auto_pad', { kind: 'string', value: 'NOTSET' } as const],
  ]);
}
