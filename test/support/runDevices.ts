import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceManifest } from '../../src/core/export/perDevice';
import type { Feeds } from '../../src/engine/inputs';
import type { Runtime } from '../../src/engine/runtime';

/** Runs the models of a per-device export one after another as their manifest says; answers the model's outputs. */
export async function runDevices(
  runtime: Runtime,
  folder: string,
  feeds: Feeds,
  outputs: readonly string[],
): Promise<Feeds> {
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as DeviceManifest;
  const passed = new Map(Object.entries(feeds));
  const made = new Set<string>();
  for (const segment of manifest.segments) {
    const session = await runtime.open(join(folder, segment.file), { optimization: 'disabled' });
    const inputs: Feeds = {};
    for (const { name, from } of segment.inputs) {
      const value = passed.get(name);
      if (value === undefined || (from !== null && !made.has(name)))
        throw new Error(`${segment.file} reads ${name} before it is made`);
      inputs[name] = value;
    }
    const results = await session.run(inputs, [...segment.outputs]);
    for (const name of segment.outputs) {
      passed.set(name, results[name]);
      made.add(name);
    }
    await session.release();
  }
  return Object.fromEntries(outputs.map((name) => [name, passed.get(name)!]));
}
