import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { corpusFolder } from './corpus';
import { readTarGz } from './tar';

/** One of ONNX's operator conformance cases: a small model, its inputs and the outputs that they must give. */
export interface ConformanceCase {
  /** Without the `test_` prefix, e.g. `conv_with_autopad_same`. */
  readonly name: string;
  readonly model: Uint8Array;
  /** Encoded values in the order of the graph's inputs; decode with `decodeCaseValue`. `undefined`: not given. */
  readonly inputs: readonly (Uint8Array | undefined)[];
  readonly outputs: readonly (Uint8Array | undefined)[];
}

const ARCHIVE = 'onnx-node-cases.tar.gz';

/** All cases of the corpus in name order; `undefined` where the corpus is missing. */
export function conformanceCases(): ConformanceCase[] | undefined {
  const folder = corpusFolder();
  if (folder === undefined) return undefined;
  const files = readTarGz(readFileSync(join(folder, ARCHIVE)));
  const names = [...files.keys()].filter((path) => path.endsWith('/model.onnx')).map((path) => dirname(path));
  return names.sort().map((name) => ({
    name: name.replace(/^test_/, ''),
    model: files.get(`${name}/model.onnx`)!,
    inputs: numbered(files, `${name}/test_data_set_0/input_`),
    outputs: numbered(files, `${name}/test_data_set_0/output_`),
  }));
}

function numbered(files: Map<string, Uint8Array>, prefix: string): (Uint8Array | undefined)[] {
  const found: (Uint8Array | undefined)[] = [];
  for (const [path, bytes] of files)
    if (path.startsWith(prefix)) found[Number(path.slice(prefix.length).replace('.pb', ''))] = bytes;
  return Array.from(found);
}
