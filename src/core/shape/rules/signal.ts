import { add, floorDivide, multiply, sizeOf, subtract } from '../dim';
import { frontAxis, type Operation, type Rule, type Rules, tensor, unknownDims } from '../operation';
import type { Dim } from '../types';

/** The axis is an attribute (1 by default) before opset 20, an input (-2 by default) since. */
function transformAxis(op: Operation, rank: number): number | undefined {
  if (op.version < 20) return frontAxis(op.int('axis', 1), rank);
  const given = op.has(2) ? op.number(2) : -2;
  return given === undefined ? undefined : frontAxis(given, rank);
}

/** Real and imaginary part on the last axis; one-sided spectra keep the first half, and come back as reals. */
const dft: Rule = (op) => {
  const shape = op.shape(0);
  if (shape === undefined) return [tensor(op.type(0), undefined)];
  const axis = transformAxis(op, shape.length);
  const oneSided = op.int('onesided', 0) === 1;
  const toReal = oneSided && op.int('inverse', 0) === 1;
  const parts = toReal ? 1 : 2;
  if (axis === undefined) return [tensor(op.type(0), [...unknownDims(shape.length - 1), parts])];
  const whole = toReal ? multiply(2, subtract(shape[axis], 1)) : shape[axis];
  const length = op.has(1) ? op.values(1)?.[0] : whole;
  const kept = oneSided && !toReal ? halfSpectrum(length) : length;
  const out = shape.map((dim, one) => (one === axis ? kept : dim));
  return [tensor(op.type(0), [...out.slice(0, -1), parts])];
};

function halfSpectrum(length: Dim): Dim {
  return add(floorDivide(length, 2), 1);
}

/** Frames of the signal by frequency; the frame's length comes from the fourth input or the window. */
const stft: Rule = (op) => {
  const signal = op.shape(0);
  const step = op.values(1)?.[0];
  const frame = op.has(3) ? op.values(3)?.[0] : op.has(2) ? op.shape(2)?.[0] : undefined;
  const frames = add(floorDivide(subtract(signal?.[1], frame), step), 1);
  const bins = op.int('onesided', 1) === 1 ? halfSpectrum(frame) : frame;
  const count = sizeOf(frames);
  return [tensor(op.type(0), [signal?.[0], count !== undefined && count < 0 ? undefined : frames, bins, 2])];
};

export const signalRules: Rules = { DFT: dft, STFT: stft };
