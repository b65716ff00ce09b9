import type { SearchWorkers } from '../engine/searchWorkers';
import { COMMANDS } from './commands';
import { type Command, type Output, parseInvocation, UsageError } from './command';

/** The streams of the process, so that a test can stand in for them. */
export interface Streams {
  write(text: string): void;
  writeError(text: string): void;
  readonly isTerminal: boolean;
  cancelled(): boolean;
  readonly workers?: SearchWorkers;
}

const DONE = 0;
const NOT_POSSIBLE = 1;
const WRONG_USAGE = 2;

/** Runs one command line; answers its exit status: 0 done, 1 not possible, 2 wrong usage. */
export async function runCommandLine(argv: readonly string[], streams: Streams): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    streams.write(overview());
    return name === undefined ? WRONG_USAGE : DONE;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    streams.writeError(
      `memorianova: there is no command "${name}". Commands: ${COMMANDS.map((c) => c.name).join(', ')}.\n`,
    );
    return WRONG_USAGE;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    streams.write(help(command));
    return DONE;
  }
  const output = outputTo(streams);
  try {
    return await command.run(parseInvocation(command, rest, { output, workers: streams.workers }));
  } catch (error) {
    output.progress('');
    if (error instanceof UsageError) {
      streams.writeError(`memorianova: ${error.message}\nTry "memorianova ${command.name} --help".\n`);
      return WRONG_USAGE;
    }
    const { name: kind, message, stack } = error as Error;
    const isExpected = kind === 'InputError';
    streams.writeError(
      isExpected ? `memorianova: ${message}\n` : `memorianova: an error of the program itself: ${stack}\n`,
    );
    return NOT_POSSIBLE;
  }
}

function outputTo(streams: Streams): Output {
  let shown = '';
  return {
    line: (text = '') => streams.write(`${text}\n`),
    progress: (text) => {
      if (!streams.isTerminal || text === shown) return;
      streams.writeError(
        `\r${text}${' '.repeat(Math.max(0, shown.length - text.length))}${text === '' ? '\r' : ''}`,
      );
      shown = text;
    },
    cancelled: () => streams.cancelled(),
  };
}

function overview(): string {
  const width = Math.max(...COMMANDS.map((command) => command.name.length + command.usage.length)) + 3;
  const lines = COMMANDS.map(
    (command) => `  ${`${command.name} ${command.usage}`.padEnd(width)}${command.summary}`,
  );
  return `memorianova <command> model.onnx\n\n${lines.join('\n')}\n\n"memorianova <command> --help" lists a command's options.\n`;
}

function help(command: Command): string {
  const entries = Object.entries(command.options).map(([name, option]) => {
    const value = option.type === 'string' ? ` ${option.value ?? 'TEXT'}` : '';
    return [`--${name}${value}`, option.summary] as const;
  });
  const width = Math.max(0, ...entries.map(([flag]) => flag.length)) + 2;
  const lines = entries.map(([flag, summary]) => `  ${flag.padEnd(width)}${summary}`);
  return `memorianova ${command.name} ${command.usage}\n\n${command.summary}\n\n${lines.join('\n')}\n`;
}
