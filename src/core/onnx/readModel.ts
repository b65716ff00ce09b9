import { onnx } from 'onnx-proto';
import { InputError } from '../graph/problem';
import { convertModel } from './convert';
import { decodeExtras } from './extras';
import type { ByteSource, Model } from './model';
import { scanModel, type Scan } from './scan';
import { notAModel } from './sniff';
import { validateModel } from './validate';

/**
 * Reads the structure of an `.onnx` file; weights stay where they are. Steps: scan to a payload-free copy, decode
 * it, convert it to plain data, look for problems.
 * Throws `InputError` with one sentence where the file is not a model, is damaged beyond use or has a cycle;
 * whatever can be lived with is in `Model.problems`.
 */
export function readModel(source: ByteSource): Model {
  const model = decode(scan(source), source.size);
  if (model === undefined)
    throw notAModel(source) ?? new InputError('The file has no graph: it is not an ONNX model.', 0);
  return { ...model, problems: [...model.problems, ...validateModel(model)] };
}

function scan(source: ByteSource): Scan {
  try {
    return scanModel(source);
  } catch (error) {
    throw (error instanceof InputError ? notAModel(source) : undefined) ?? error;
  }
}

/** `undefined` where the file has no graph. */
function decode(scanned: Scan, fileBytes: number): Model | undefined {
  try {
    const proto = onnx.ModelProto.decode(scanned.copy);
    if (!proto.graph) return undefined;
    const extras = scanned.hasNewerFields ? decodeExtras(scanned.copy) : undefined;
    return convertModel(proto, extras, scanned, fileBytes);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      `The model cannot be decoded: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}
