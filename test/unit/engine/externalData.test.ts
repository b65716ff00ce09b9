import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { onnx } from 'onnx-proto';
import { InputError } from '../../../src/core/graph/problem';
import type { Model } from '../../../src/core/onnx/model';
import { analyzeFile, readModelFile } from '../../../src/engine/analyze';
import { FileByteSource } from '../../../src/engine/byteSource';
import { externalFile } from '../../../src/engine/externalData';
import { node, onnxFile, value } from '../../support/onnxFile';
import { writeSparseModel } from '../../support/sparseModel';

describe('external weights', () => {
  let folder = '';
  let model = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'external-'));
    mkdirSync(join(folder, 'model', 'inner'), { recursive: true });
    model = join(folder, 'model', 'm.onnx');
    writeFileSync(join(folder, 'outside.bin'), new Uint8Array(64));
    writeFileSync(
      join(folder, 'model', 'inner', 'w.bin'),
      new Uint8Array(BigInt64Array.of(0n, 3n, -1n).buffer),
    );
    symlinkSync(join(folder, 'outside.bin'), join(folder, 'model', 'link.bin'));
    symlinkSync('inner/w.bin', join(folder, 'model', 'good.bin'));
    symlinkSync(folder, join(folder, 'model', 'up'));
  });
  after(() => rmSync(folder, { recursive: true }));

  function open(entries: Record<string, string>, dims = [2], dataType = 1): Model {
    const externalData = Object.entries(entries).map(([key, text]) => ({ key, value: text }));
    const weight: onnx.ITensorProto = { name: 'w', dims, dataType, dataLocation: 1, externalData };
    const nodes = [node('Add', 'x w', 'y')];
    writeFileSync(
      model,
      onnxFile({ node: nodes, input: [value('x', [2])], output: [value('y')], initializer: [weight] }),
    );
    return readModelFile(model);
  }

  function state(entries: Record<string, string>): string {
    const { payload } = open(entries).graph.initializers[0];
    return payload.kind === 'external' ? payload.state : payload.kind;
  }

  it('are present, too short or absent', () => {
    assert.equal(state({ location: 'inner/w.bin' }), 'present');
    assert.equal(state({ location: 'inner/w.bin', offset: '16', length: '8' }), 'present');
    assert.equal(state({ location: 'inner/w.bin', offset: '20' }), 'short');
    assert.equal(state({ location: 'inner/w.bin', length: '4' }), 'short');
    assert.equal(state({ location: 'inner/w.bin', length: '9999' }), 'short');
    assert.equal(state({ location: 'nowhere.bin' }), 'absent');
  });

  it('are refused wherever they lead out of the folder of the model', () => {
    const outside = join(folder, 'outside.bin');
    const places = [outside, '../outside.bin', 'inner/../../outside.bin', 'link.bin', 'up/outside.bin'];
    for (const location of [
      ...places,
      '',
      '.',
      'inner',
      'C:\\w.bin',
      '..\\outside.bin',
      '\\\\server\\w.bin',
    ]) {
      assert.equal(state({ location }), 'refused', location);
    }
    assert.equal(state({ location: 'inner/w.bin', offset: '-4' }), 'refused');
    assert.equal(state({ location: 'good.bin' }), 'present');
    assert.equal(externalFile(model, '../outside.bin'), undefined);
    assert.match(externalFile(model, 'good.bin') ?? '', /w\.bin$/);
  });

  it('never stop the analysis, and say what is wrong in one warning a file', () => {
    for (const location of ['nowhere.bin', '../outside.bin']) {
      open({ location });
      const { graph, problems } = analyzeFile(model, { bindings: new Map(), fuse: 'none' });
      assert.equal(graph.weightBytes.bytes, 8);
      assert.equal(problems.length, 1);
      assert.equal(problems[0].severity, 'warning');
      assert.match(problems[0].message, /"w" lies in "/);
    }
  });

  it('are read where they are small constants that shapes may depend on', () => {
    const [constant] = open({ location: 'inner/w.bin', offset: '8' }, [2], 7).graph.initializers;
    assert.deepEqual(constant.values, [3, -1]);
    assert.equal(open({ location: 'link.bin' }, [2], 7).graph.initializers[0].values, undefined);
  });
});

describe('files', () => {
  let folder = '';
  before(() => (folder = mkdtempSync(join(tmpdir(), 'files-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('that are missing or no files are refused in a sentence', () => {
    assert.throws(() => new FileByteSource(join(folder, 'nowhere')), InputError);
    assert.throws(() => new FileByteSource(folder), InputError);
  });

  it('with weights of 1.9 GB inside open without reading them', () => {
    const path = join(folder, 'heavy.onnx');
    assert.ok(writeSparseModel(path, 20, 4900, true) > 1.9e9);
    const before = process.memoryUsage.rss();
    const { graph } = analyzeFile(path, { bindings: new Map(), fuse: 'none' });
    assert.ok(process.memoryUsage.rss() - before < 100 * 2 ** 20);
    assert.equal(graph.operators.length, 40);
    assert.deepEqual(graph.weightBytes, { bytes: 20 * 4900 * 4900 * 4, known: true });
  });
});
