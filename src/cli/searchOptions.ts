import { DEFAULT_OPTIMIZE_OPTIONS, type OptimizeOptions } from '../engine/optimize';
import { choiceOption, type CommandOption, type Invocation, numberOption } from './command';

const DEFAULTS = DEFAULT_OPTIMIZE_OPTIONS;

/** Options of every command that searches partitions. */
export const LATENCY_OPTION: CommandOption = {
  type: 'string',
  value: 'overlapped|synchronous',
  summary: 'how time is counted (default overlapped)',
};
export const STRATEGY_OPTION: CommandOption = {
  type: 'string',
  value: 'hybrid|horizontal|vertical',
  summary: 'which plans may be made (default hybrid)',
};
export const ORDER_OPTION: CommandOption = {
  type: 'string',
  value: 'btsearch|free',
  summary: 'keep the order of least memory (default), or let the search change it',
};
export const SEED_OPTION: CommandOption = {
  type: 'string',
  value: 'N',
  summary: `seed of all randomness (default ${DEFAULTS.seed})`,
};

/** What an invocation says of the search; an option that its command does not take keeps its default. */
export function searchOptions(invocation: Invocation, evaluations: number): OptimizeOptions {
  const timeLimit = numberOption(invocation, 'time-limit', 0, false);
  return {
    seed: numberOption(invocation, 'seed', 0, true) ?? DEFAULTS.seed,
    latency: choiceOption(invocation, 'latency', ['overlapped', 'synchronous'], DEFAULTS.latency),
    strategy: choiceOption(invocation, 'strategy', ['hybrid', 'horizontal', 'vertical'], DEFAULTS.strategy),
    inPlace: choiceOption(invocation, 'in-place', ['none', 'elementwise'], DEFAULTS.inPlace),
    fuse: choiceOption(invocation, 'fuse', ['none', 'conv'], DEFAULTS.fuse),
    order: choiceOption(invocation, 'order', ['btsearch', 'free'], DEFAULTS.order),
    evaluations: numberOption(invocation, 'evaluations', 1, true) ?? evaluations,
    ...(timeLimit === undefined ? {} : { timeLimit }),
  };
}
