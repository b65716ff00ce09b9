import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Stopped } from '../core/graph/control';
import type { SearchWorkers } from '../engine/searchWorkers';

/** Where a command writes; progress goes to stderr and only to a terminal. */
export interface Output {
  line(text?: string): void;
  /** One line that replaces the last, on a terminal; nothing elsewhere. */
  progress(text: string): void;
  cancelled(): boolean;
}

export interface Invocation {
  readonly files: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | string[] | undefined>>;
  readonly output: Output;
  /** Where the parts of a search run: worker threads in the built program, else this thread. */
  readonly workers?: SearchWorkers;
}

export interface Command {
  readonly name: string;
  /** What comes behind the name: `model.onnx [plan]`. */
  readonly usage: string;
  readonly summary: string;
  /** How many files it takes. */
  readonly files: readonly [least: number, most: number];
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Exit status: 0 done, 1 not possible. Throws `InputError` (1) or `UsageError` (2). */
  run(invocation: Invocation): Promise<number>;
}

export interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  /** What the value is, for the help text. */
  readonly value?: string;
  readonly summary: string;
}

/** The command line itself is wrong: exit status 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

export const JSON_OPTION: CommandOption = { type: 'boolean', summary: 'print the result as JSON' };

export const BIND_OPTION: CommandOption = {
  type: 'string',
  multiple: true,
  value: 'NAME=SIZE',
  summary: 'size of a symbolic dimension (may be repeated)',
};

export function parseInvocation(
  command: Command,
  argv: readonly string[],
  surroundings: Pick<Invocation, 'output' | 'workers'>,
): Invocation {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, multiple }]) => [
      name,
      { type, multiple: multiple ?? false },
    ]),
  ) satisfies ParseArgsConfig['options'];
  let parsed;
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0] + '.');
  }
  const [least, most] = command.files;
  const count = parsed.positionals.length;
  if (count < least || count > most) {
    throw new UsageError(
      `${command.name} takes ${command.usage}, not ${count} file${count === 1 ? '' : 's'}.`,
    );
  }
  return { files: parsed.positionals, values: parsed.values as Invocation['values'], ...surroundings };
}

export function textOption({ values }: Invocation, name: string): string | undefined {
  return values[name] as string | undefined;
}

export function flagOption({ values }: Invocation, name: string): boolean {
  return values[name] === true;
}

export function choiceOption<Choice extends string>(
  invocation: Invocation,
  name: string,
  choices: readonly Choice[],
  otherwise: Choice,
): Choice {
  const value = textOption(invocation, name);
  if (value === undefined) return otherwise;
  if (!choices.includes(value as Choice))
    throw new UsageError(`--${name} is one of ${choices.join(', ')}, not "${value}".`);
  return value as Choice;
}

export function numberOption(
  invocation: Invocation,
  name: string,
  least: number,
  whole: boolean,
): number | undefined {
  const value = textOption(invocation, name);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (
    value.trim() === '' ||
    !Number.isFinite(number) ||
    number < least ||
    (whole && !Number.isSafeInteger(number))
  ) {
    throw new UsageError(
      `--${name} is a ${whole ? 'whole ' : ''}number of at least ${least}, not "${value}".`,
    );
  }
  return number;
}

export function bindingsOption({ values }: Invocation): ReadonlyMap<string, number> {
  const bindings = new Map<string, number>();
  for (const text of (values.bind as string[] | undefined) ?? []) {
    const at = text.lastIndexOf('=');
    const size = Number(text.slice(at + 1));
    if (at < 1 || !Number.isSafeInteger(size) || size < 0 || text.endsWith('=')) {
      throw new UsageError(`--bind takes NAME=SIZE, not "${text}".`);
    }
    bindings.set(text.slice(0, at), size);
  }
  return bindings;
}

/** What a stop before the end means, in words. */
export const STOPPED_TEXT: Readonly<Record<Stopped, string>> = {
  time: 'stopped at the time limit: the best so far',
  memory: 'stopped at the memory limit: the best so far',
  cancel: 'cancelled: the best so far',
};
