import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../../../src/core/plan/plan';
import { doorbellModel } from '../../../src/engine/example/doorbell';
import { ModelBuilder } from '../../../src/engine/example/modelBuilder';

/** A chain of convolutions: another small model with weights. */
export function chainModel(length = 6): Uint8Array {
  const model = new ModelBuilder('chain');
  let value = model.input('signal', [1, 4, 32, 32]);
  for (let at = 0; at < length; at++) value = model.node('Relu', [model.convolution(value, [4, 4], 3)]);
  model.node('Identity', [value], {}, 'last', ['result']);
  model.output('result', [1, 4, 32, 32]);
  return model.build();
}

/** A model whose input leaves a dimension open. */
export function openModel(): Uint8Array {
  const model = new ModelBuilder('open');
  const value = model.input('rows', ['length', 16]);
  model.node('Relu', [value], {}, 'relu', ['result']);
  model.output('result', ['length', 16]);
  return model.build();
}

const TINY_DEVICE = { name: 'tag', memory: '64 KiB', compute: '1 GFLOP/s', operatorOverhead: '1 us' };
const NETWORK = { kind: 'switched', bandwidth: '10 Mbit/s', latency: '1 ms' };

/** What can be wrong with a file, each with the sentence that the editor should show. */
export const BAD_MODELS: readonly { file: string; bytes: Uint8Array; sentence: RegExp }[] = [
  { file: 'empty.onnx', bytes: new Uint8Array(), sentence: /empty/i },
  {
    file: 'notes.onnx',
    bytes: new TextEncoder().encode('These are only some notes about a model.\n'.repeat(20)),
    sentence: /text|not an ONNX/i,
  },
  {
    file: 'truncated.onnx',
    bytes: doorbellModel().subarray(0, 100_000),
    sentence: /ends|truncated|cut/i,
  },
];

export const UNKNOWN_FIELD_CLUSTER = {
  name: 'typo',
  devices: [{ ...TINY_DEVICE, memmory: '1 MiB' }],
  network: NETWORK,
};
export const SMALL_CLUSTER = { name: 'small', devices: [TINY_DEVICE], network: NETWORK };

export function writeJson(folder: string, name: string, value: unknown): void {
  writeFileSync(join(folder, name), `${JSON.stringify(value, undefined, 2)}\n`);
}

export function readPlan(folder: string, name: string): Plan | undefined {
  const path = join(folder, name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Plan) : undefined;
}
