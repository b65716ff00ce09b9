import { resolve } from 'node:path';

const ROOT = resolve(__dirname, '..');

/** Absolute path of something in the project. */
export function projectFolder(...parts: readonly string[]): string {
  return resolve(ROOT, ...parts);
}
