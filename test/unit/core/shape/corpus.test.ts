import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ELEMENT_TYPE_BY_CODE } from '../../../../src/core/graph/elementType';
import type { Model } from '../../../../src/core/onnx/model';
import { readModel } from '../../../../src/core/onnx/readModel';
import { sizeOf } from '../../../../src/core/shape/dim';
import { inferShapes } from '../../../../src/core/shape/inferShapes';
import type { ShapeResult } from '../../../../src/core/shape/types';
import { corpusFolder } from '../../../support/corpus';

/** What another implementation says: name -> element type code and dimensions (numbers, names or nothing). */
type Reference = Readonly<Record<string, readonly [number, readonly (number | string | null)[] | null]>>;

interface Agreement {
  readonly compared: number;
  readonly known: number;
  readonly knownToReference: number;
  readonly differences: readonly string[];
}

describe('shape inference on real models', () => {
  const folder = corpusFolder('public');
  if (folder === undefined) return;

  it('agrees with the reference wherever that has numbers, and knows at least as much', () => {
    const files = readdirSync(folder).filter((file) =>
      existsSync(join(folder, 'reference-shapes', `${file}.json`)),
    );
    let compared = 0;
    let known = 0;
    let knownToReference = 0;
    for (const file of files) {
      const reference = JSON.parse(readFileSync(join(folder, 'reference-shapes', `${file}.json`), 'utf8'));
      const model = load(join(folder, file));
      const one = agreement(model, inferShapes(model, { bindings: new Map() }), reference.shapes);
      assert.deepEqual(one.differences, [], file);
      assert.ok(one.known >= one.knownToReference, `${file}: ${one.known} known of ${one.knownToReference}`);
      compared += one.compared;
      known += one.known;
      knownToReference += one.knownToReference;
    }
    console.log(
      `  ${files.length} models, ${compared} tensors with numbers compared, all agree; ` +
        `known: ${known}, to the reference: ${knownToReference}`,
    );
  });

  it('agrees with the outputs that ONNX Runtime really gave', () => {
    const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { files: readonly Ran[] };
    const ran = index.files.filter((file) => file.ort_node_1_30_0?.runs);
    const differences: string[] = [];
    let compared = 0;
    for (const { file, ort_node_1_30_0: run } of ran) {
      const { main } = inferShapes(load(join(folder, file)), { bindings: new Map() });
      for (const [name, given] of Object.entries(run!.outputs)) {
        const type = main.values.get(name)?.type;
        const sizes = type?.kind === 'tensor' ? type.shape?.map(sizeOf) : undefined;
        if (type?.kind !== 'tensor' || sizes === undefined || sizes.includes(undefined)) continue;
        compared++;
        const ours = `${type.type}[${sizes}]`;
        if (ours !== given) differences.push(`${file} ${name}: ${ours} for ${given}`);
      }
    }
    assert.deepEqual(differences, []);
    console.log(`  ${ran.length} models that ran, ${compared} outputs with known shapes, all agree`);
  });
});

/** What the corpus's index tells of a run. */
interface Ran {
  readonly file: string;
  readonly ort_node_1_30_0?: { readonly runs: boolean; readonly outputs: Readonly<Record<string, string>> };
}

function load(path: string): Model {
  const bytes = readFileSync(path);
  return readModel({ size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) });
}

function agreement(model: Model, result: ShapeResult, reference: Reference): Agreement {
  const differences: string[] = [];
  const contradicted = new Set(result.problems.map((problem) => problem.tensor));
  let compared = 0;
  let known = 0;
  let knownToReference = 0;
  for (const [name, [code, dims]] of Object.entries(reference)) {
    const type = result.main.values.get(name)?.type;
    const sizes = type?.kind === 'tensor' ? type.shape?.map(sizeOf) : undefined;
    const isKnown = sizes !== undefined && !sizes.includes(undefined);
    known += Number(isKnown);
    if (dims?.every((dim) => typeof dim === 'number')) knownToReference++;
    if (!dims?.some((dim) => typeof dim === 'number') && dims?.length !== 0) continue;
    // The reference repeats what the file declares of its outputs; where that is wrong we say so instead.
    if (contradicted.has(name) && model.graph.outputs.some((output) => output.name === name)) continue;
    compared++;
    const sameType = type?.kind === 'tensor' && type.type === ELEMENT_TYPE_BY_CODE[code];
    const sameSizes =
      sizes?.length === dims.length &&
      dims.every((dim, axis) => typeof dim !== 'number' || dim === sizes[axis]);
    if (!sameType || !sameSizes) differences.push(`${name}: ${sizes} for ${dims}`);
  }
  return { compared, known, knownToReference, differences };
}
