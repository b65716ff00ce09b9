import { basename } from 'node:path';
import type { FuseRule } from '../core/graph/graph';
import { InputError } from '../core/graph/problem';
import { type Analysis, analyzeFile } from '../engine/analyze';
import { bindingsOption, choiceOption, type CommandOption, type Invocation } from './command';

export const FUSE_OPTION: CommandOption = {
  type: 'string',
  value: 'none|conv',
  summary: 'fuse convolutions and products with what follows them (default none)',
};

export const IN_PLACE_OPTION: CommandOption = {
  type: 'string',
  value: 'none|elementwise',
  summary: 'whether elementwise operators may write over their input (default none)',
};

/** Opens the command's model under its `--bind` and `--fuse`. */
export function openModel(invocation: Invocation): Analysis {
  const fuse = choiceOption<FuseRule>(invocation, 'fuse', ['none', 'conv'], 'none');
  return openModelWith(invocation.files[0], bindingsOption(invocation), fuse);
}

/** A refusal names the file. */
export function openModelWith(path: string, bindings: ReadonlyMap<string, number>, fuse: FuseRule): Analysis {
  try {
    return analyzeFile(path, { bindings, fuse });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${basename(path)}: ${error.message}`, error.offset);
  }
}

export function modelName(invocation: Invocation): string {
  return basename(invocation.files[0]);
}
