import { floorDivide, floor, multiply, product, sizeOf } from '../dim';
import {
  frontAxis,
  type Operation,
  type Outputs,
  type Rule,
  type Rules,
  RuleError,
  sizesOf,
  tensor,
  unknownDims,
} from '../operation';
import type { Dim } from '../types';
import { dimsFromLength } from './reshaping';

/** `floor(size * scale)` in single precision, as runtimes compute it. */
function scaled(dim: Dim, scale: Dim): Dim {
  const size = sizeOf(dim);
  const factor = sizeOf(scale);
  if (factor === undefined) return undefined;
  if (factor <= 0) throw new RuleError(`its scale ${factor} is not positive`);
  const number = size === undefined ? undefined : Math.floor(Math.fround(size * Math.fround(factor)));
  if (typeof dim !== 'object')
    return number !== undefined && Number.isSafeInteger(number) ? number : undefined;
  const expression = floor(multiply(dim, factor));
  return number === undefined || sizeOf(expression) === number ? expression : number;
}

/** Scales are an attribute before opset 9 (two named ones in opset 1), an input since. */
const upsample: Rule = (op) => {
  const shape = op.shape(0);
  if (shape === undefined) return [tensor(op.type(0), undefined)];
  const scales =
    op.version >= 9
      ? op.values(1)
      : (op.floats('scales') ?? [1, 1, op.float('height_scale', 1), op.float('width_scale', 1)]);
  return [tensor(op.type(0), scaledShape(shape, scales, [...shape.keys()]))];
};

function scaledShape(
  shape: readonly Dim[],
  scales: readonly Dim[] | undefined,
  axes: readonly number[],
): Dim[] {
  if (scales !== undefined && scales.length !== axes.length)
    throw new RuleError(`it has ${scales.length} scales for ${axes.length} axes`);
  const out = [...shape];
  for (const [one, axis] of axes.entries()) out[axis] = scaled(shape[axis], scales?.[one]);
  return out;
}

/** Opset 10 has scales alone; later sizes may be given instead, and a region of interest for cropping. */
const resize: Rule = (op) => {
  const shape = op.shape(0);
  const type = op.type(0);
  if (op.version < 11) return upsample(op);
  const sizesGiven = op.has(3) && op.shape(3)?.[0] !== 0;
  const wanted = sizesGiven ? op.values(3) : undefined;
  if (shape === undefined)
    return [tensor(type, op.ints('axes') ? undefined : (wanted ?? dimsFromLength(op, sizesGiven ? 3 : 2)))];
  const axes = op.ints('axes')?.map((axis) => frontAxis(axis, shape.length)) ?? [...shape.keys()];
  if (sizesGiven) return [tensor(type, resizedTo(op, shape, axes, wanted))];
  if (op.string('coordinate_transformation_mode', '') !== 'tf_crop_and_resize')
    return [tensor(type, scaledShape(shape, op.values(2), axes))];
  return [tensor(type, croppedShape(op, shape, axes))];
};

function resizedTo(
  op: Operation,
  shape: readonly Dim[],
  axes: readonly number[],
  wanted: readonly Dim[] | undefined,
): Dim[] {
  const out = [...shape];
  if (wanted !== undefined && wanted.length !== axes.length)
    throw new RuleError(`it has ${wanted.length} sizes for ${axes.length} axes`);
  const policy = op.string('keep_aspect_ratio_policy', 'stretch');
  const have = axes.map((axis) => sizeOf(shape[axis]));
  const want = wanted?.map(sizeOf);
  const known = want !== undefined && !want.includes(undefined) && !have.includes(undefined);
  const scales = known ? want.map((size, one) => size! / have[one]!) : undefined;
  const scale = scales && (policy === 'not_larger' ? Math.min(...scales) : Math.max(...scales));
  for (const [one, axis] of axes.entries()) {
    if (policy === 'stretch') out[axis] = wanted?.[one];
    else out[axis] = scale === undefined ? undefined : Math.floor(scale * have[one]! + 0.5);
  }
  return out;
}

/** The region is a fraction of the input per axis: starts, then ends. */
function croppedShape(op: Operation, shape: readonly Dim[], axes: readonly number[]): Dim[] {
  const roi = op.numbers(1);
  const scales = op.values(2);
  const out = [...shape];
  for (const [one, axis] of axes.entries()) {
    const size = sizeOf(shape[axis]);
    const scale = sizeOf(scales?.[one]);
    const known = roi !== undefined && size !== undefined && scale !== undefined;
    out[axis] = known ? Math.floor(size * (roi[one + axes.length] - roi[one]) * scale) : undefined;
  }
  return out;
}

const gridSample: Rule = (op) => {
  const x = op.shape(0);
  const grid = op.shape(1);
  if (x === undefined || grid === undefined) return [tensor(op.type(0), x && unknownDims(x.length))];
  return [tensor(op.type(0), [x[0], x[1], ...grid.slice(1, -1)])];
};

/** One coordinate per spatial axis for every point of the wanted image. */
const affineGrid: Rule = (op) => {
  const size = op.values(1) ?? dimsFromLength(op, 1);
  const spatial = size?.slice(2);
  return [tensor(op.type(0), spatial && [size![0], ...spatial, spatial.length])];
};

const col2Im: Rule = (op) => {
  const columns = op.shape(0);
  const image = op.values(1) ?? dimsFromLength(op, 1);
  const block = op.values(2);
  const channels = block === undefined ? undefined : floorDivide(columns?.[1], product(block));
  return [tensor(op.type(0), image && [columns?.[0], channels, ...image])];
};

/** Height and width are in the encoded bytes. */
const imageDecoder: Rule = (op): Outputs => {
  const gray = op.string('pixel_format', 'RGB') === 'Grayscale';
  return [tensor('uint8', [undefined, undefined, gray ? 1 : 3])];
};

/** How many boxes are left follows from the data; each is (batch, class, box). */
const nonMaxSuppression: Rule = (op) => {
  const most = op.has(2) ? op.number(2) : 0;
  return [tensor('int64', [most === 0 || sizesOf(op.shape(0))?.includes(0) ? 0 : undefined, 3])];
};

export const imageRules: Rules = {
  AffineGrid: affineGrid,
  Col2Im: col2Im,
  GridSample: gridSample,
  ImageDecoder: imageDecoder,
  NonMaxSuppression: nonMaxSuppression,
  Resize: resize,
  Upsample: upsample,
};
