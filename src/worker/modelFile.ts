import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { ModelSource } from '../protocol/worker';

/** Runs `work` on the model's path; a model of a virtual file system is put into a temporary file for it. */
export async function withModelFile<Result>(
  source: ModelSource,
  work: (path: string) => Promise<Result>,
): Promise<Result> {
  if (source.kind === 'file') return work(source.path);
  const folder = mkdtempSync(join(tmpdir(), 'memorianova-'));
  try {
    const path = join(folder, basename(source.name));
    writeFileSync(path, source.bytes);
    return await work(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
