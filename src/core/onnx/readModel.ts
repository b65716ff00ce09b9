import { onnx } from 'onnx-proto';
import { InputError } from '../graph/problem';
import { convertModel } from './convert';
import { decodeExtras } from './extras';
import type { ByteSource, Model } from './model';
import { scanModel, type Scan } from './scan';

/**
 * Reads the structure of an `.onnx` file; weights stay where they are.
 * Throws `InputError` with one sentence where the file is not a model or is damaged beyond use; whatever can be
 * lived with is in `Model.problems`.
 */
export function readModel(source: ByteSource): Model {
  const scan = scanModel(source);
  return decode(scan, source.size);
}

function decode(scan: Scan, fileBytes: number): Model {
  try {
    const proto = onnx.ModelProto.decode(scan.copy);
    const extras = scan.hasNewerFields ? decodeExtras(scan.copy) : undefined;
    return convertModel(proto, extras, scan, fileBytes);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`The model cannot be decoded: ${error instanceof Error ? error.message : String(error)}.`);
  }
}
