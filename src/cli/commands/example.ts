import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeExample } from '../../engine/example/folder';
import type { Command } from '../command';

export const exampleCommand: Command = {
  name: 'example',
  usage: 'folder',
  summary: 'write an example: a small real model with weights and a cluster of four smart-home devices',
  files: [1, 1],
  options: {},
  async run({ files, output }) {
    mkdirSync(files[0], { recursive: true });
    for (const name of writeExample(files[0])) output.line(`wrote ${join(files[0], name)}`);
    return 0;
  },
};
