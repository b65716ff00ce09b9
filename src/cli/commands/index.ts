import type { Command } from '../command';
import { analyzeCommand } from './analyze';
import { checkCommand } from './check';
import { compareCommand } from './compare';
import { exampleCommand } from './example';
import { exportCommand } from './export';
import { inspectCommand } from './inspect';
import { optimizeCommand } from './optimize';
import { orderCommand } from './order';
import { sweepCommand } from './sweep';
import { verifyCommand } from './verify';

/** In the order in which a user meets them. */
export const COMMANDS: readonly Command[] = [
  inspectCommand,
  orderCommand,
  analyzeCommand,
  optimizeCommand,
  checkCommand,
  compareCommand,
  sweepCommand,
  exportCommand,
  verifyCommand,
  exampleCommand,
];
