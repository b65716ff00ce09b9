import type { Command } from '../command';
import { checkCommand } from './check';
import { exampleCommand } from './example';
import { inspectCommand } from './inspect';
import { optimizeCommand } from './optimize';
import { orderCommand } from './order';

/** In the order in which a user meets them. */
export const COMMANDS: readonly Command[] = [
  inspectCommand,
  orderCommand,
  optimizeCommand,
  checkCommand,
  exampleCommand,
];
