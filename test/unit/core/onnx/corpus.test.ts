import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../../../src/core/graph/problem';
import type { ModelNode } from '../../../../src/core/onnx/model';
import { subgraphsOf } from '../../../../src/core/onnx/scopes';
import { analyzeFile, readModelFile } from '../../../../src/engine/analyze';
import { corpusFolder } from '../../../support/corpus';

/** What `public/index.json` says of a file. */
interface Entry {
  readonly file: string;
  readonly parses: boolean;
  readonly ir_version: number;
  readonly opset: Readonly<Record<string, number>>;
  readonly nodes: number;
  readonly nodes_incl_subgraphs: number;
  readonly initializers: number;
  readonly functions: number;
  readonly topologically_sorted: boolean;
  readonly external_tensors: number;
}

function countNodes(nodes: readonly ModelNode[]): number {
  return nodes.reduce(
    (sum, node) =>
      sum + 1 + subgraphsOf(node).reduce((inner, [, graph]) => inner + countNodes(graph.nodes), 0),
    0,
  );
}

describe('corpus of real models', () => {
  it('is read as its index says, file by file', () => {
    const folder = corpusFolder('public');
    if (folder === undefined) return;
    const { files } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { files: Entry[] };
    let read = 0;
    for (const entry of files) {
      const path = join(folder, entry.file);
      if (!entry.parses) {
        assert.throws(() => readModelFile(path), InputError, entry.file);
        continue;
      }
      const model = readModelFile(path);
      const opsets = Object.fromEntries(
        [...model.opsets].map(([domain, version]) => [domain || 'ai.onnx', version]),
      );
      const expected = entry.ir_version < 3 ? { 'ai.onnx': 1 } : entry.opset;
      assert.equal(model.irVersion, entry.ir_version, entry.file);
      assert.deepEqual(opsets, expected, entry.file);
      assert.equal(model.graph.nodes.length, entry.nodes, entry.file);
      assert.equal(countNodes(model.graph.nodes), entry.nodes_incl_subgraphs, entry.file);
      assert.equal(model.functions.length, entry.functions, entry.file);
      const unsorted = model.problems.some(({ message }) => message.includes('topological order'));
      assert.equal(unsorted, !entry.topologically_sorted, entry.file);
      read++;
    }
    process.stdout.write(`  ${read} files read, ${files.length - read} refused, as the index says\n`);
  });

  it('becomes a graph that keeps its invariants', () => {
    const counts = { files: 0, operators: 0, storages: 0, known: 0 };
    for (const part of ['public', 'architectures', 'large']) {
      const folder = corpusFolder(part);
      if (folder === undefined) return;
      for (const name of readdirSync(folder).filter((file) => file.endsWith('.onnx'))) {
        if (name === 'tf_20000.onnx') continue;
        for (const fuse of ['none', 'conv'] as const) checkGraph(join(folder, name), fuse, counts);
      }
    }
    const { files, operators, storages, known } = counts;
    process.stdout.write(
      `  ${files} graphs, ${operators} operators, ${storages} storages, ${known} of known size\n`,
    );
  });
});

type Counts = Record<'files' | 'operators' | 'storages' | 'known', number>;

function checkGraph(path: string, fuse: 'none' | 'conv', counts: Counts): void {
  let analysis;
  try {
    analysis = analyzeFile(path, { bindings: new Map(), fuse });
  } catch (error) {
    assert.ok(error instanceof InputError, `${path}: ${String(error)}`);
    return;
  }
  const { operators, tensors, storages } = analysis.graph;
  for (const operator of operators) {
    for (const id of [...operator.inputs, ...operator.outputs]) assert.ok(id < tensors.length, path);
    for (const id of operator.inputs) {
      if (id >= 0)
        assert.ok(tensors[id].producer < operator.id, `${path}: operator ${operator.id} runs too early`);
      if (id >= 0) assert.ok(tensors[id].consumers.includes(operator.id), path);
    }
  }
  for (const tensor of tensors) {
    if (tensor.isWeight) assert.equal(tensor.storage, -1, path);
    else if (tensor.storage >= 0) assert.ok(storages[tensor.storage].tensors.includes(tensor.id), path);
  }
  for (const storage of storages) {
    assert.ok(storage.isInput === storage.producer < 0, path);
    for (const reader of storage.consumers) assert.ok(reader > storage.producer, path);
  }
  counts.files++;
  counts.operators += operators.length;
  counts.storages += storages.length;
  counts.known += storages.filter(({ bytes }) => bytes !== undefined).length;
}
