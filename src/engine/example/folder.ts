import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SMART_HOME_FILE } from '../../core/cluster/smartHome';
import { writeAtomically } from '../files';
import { doorbellModel } from './doorbell';

/** Text of the built-in cluster as a file that a user can edit. */
export function exampleClusterText(): string {
  return `${JSON.stringify(SMART_HOME_FILE, null, 2)}\n`;
}

/** Writes model and cluster where they are not there yet; answers the names of the files it wrote. */
export function writeExample(folder: string): string[] {
  const written: string[] = [];
  const put = (name: string, write: (path: string) => void): void => {
    const path = join(folder, name);
    if (existsSync(path)) return;
    write(path);
    written.push(name);
  };
  put('doorbell.onnx', (path) => writeFileSync(path, doorbellModel()));
  put('smart-home.cluster.json', (path) => writeAtomically(path, exampleClusterText()));
  return written;
}
