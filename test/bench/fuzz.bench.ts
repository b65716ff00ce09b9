/**
 * `npm run bench:fuzz [-- inputs [seed]]`: mutants of real models through reading, shape inference and graph
 * building. Prints, and from 100,000 inputs on writes to docs/fuzzing.md, how many ran and the slowest; exits with
 * status 1 where one broke a promise, after writing it to `fuzz-failures/` in the system's folder for such files.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onnx } from 'onnx-proto';
import { seededRandom } from '../../src/core/graph/random';
import { conformanceCases } from '../support/conformance';
import { corpusFolder } from '../support/corpus';
import { mutate, survives } from '../support/fuzz';

const INPUTS = 1_000_000;
/** Fewer inputs are a trial: their figures are only printed. */
const DOCUMENTED = 100_000;
const LARGEST_FILE = 300_000;
const SLOW_MS = 1000;
const MOST_GROWTH = 200 * 2 ** 20;
const WARM_UP = 2000;
const FAILURES = join(tmpdir(), 'fuzz-failures');

function seeds(): Uint8Array[] {
  const folder = corpusFolder('public');
  const cases = conformanceCases();
  if (folder === undefined || cases === undefined)
    throw new Error('the benchmark needs the corpus of models');
  const files = readdirSync(folder).filter((name) => name.endsWith('.onnx'));
  const real = files.map((name) => new Uint8Array(readFileSync(join(folder, name))));
  return [...real.filter((bytes) => bytes.length <= LARGEST_FILE), ...cases.map(({ model }) => model)];
}

function opTypesOf(files: readonly Uint8Array[]): string[] {
  const types = new Set<string>();
  for (const bytes of files) {
    try {
      for (const node of onnx.ModelProto.decode(bytes).graph?.node ?? []) types.add(node.opType ?? '');
    } catch {
      continue;
    }
  }
  return [...types].sort();
}

/** Processor time of one input, the least of three where the first was slow: a collection may fall into it. */
function timed(bytes: Uint8Array): { accepted: boolean; ms: number } {
  let accepted = false;
  let ms = Infinity;
  for (let attempt = 0; attempt < 3 && ms > SLOW_MS; attempt++) {
    const start = process.cpuUsage();
    accepted = survives(bytes);
    const { user, system } = process.cpuUsage(start);
    ms = Math.min(ms, (user + system) / 1000);
  }
  return { accepted, ms };
}

function run(inputs: number, seed: number): boolean {
  const files = seeds();
  const opTypes = opTypesOf(files);
  const random = seededRandom(seed);
  const tally = { accepted: 0, refused: 0, failed: 0, slow: 0, slowest: 0, growth: 0 };
  let baseline = Infinity;
  for (let i = 0; i < inputs; i++) {
    const mutant = mutate(files[random.below(files.length)], random, opTypes);
    try {
      const { accepted, ms } = timed(mutant);
      tally[accepted ? 'accepted' : 'refused']++;
      tally.slowest = Math.max(tally.slowest, ms);
      if (ms > SLOW_MS) {
        tally.slow++;
        keep(`slow-${seed}-${i}`, mutant, `${ms} ms`);
      }
    } catch (error) {
      tally.failed++;
      keep(
        `error-${seed}-${i}`,
        mutant,
        error instanceof Error ? (error.stack ?? error.message) : String(error),
      );
    }
    if (i === Math.min(WARM_UP, inputs - 1)) baseline = process.memoryUsage.rss();
    if (i % 500 === 0) tally.growth = Math.max(tally.growth, process.memoryUsage.rss() - baseline);
  }
  report(inputs, seed, files.length, tally);
  return tally.failed === 0 && tally.slow === 0 && tally.growth < MOST_GROWTH;
}

function keep(name: string, bytes: Uint8Array, why: string): void {
  mkdirSync(FAILURES, { recursive: true });
  writeFileSync(join(FAILURES, `${name}.onnx`), bytes);
  process.stdout.write(`${name}: ${why.split('\n').slice(0, 4).join(' | ')}\n`);
}

function report(inputs: number, seed: number, files: number, tally: Record<string, number>): void {
  const rows = [
    ['mutants', inputs],
    ['of files', files],
    ['seed', seed],
    ['accepted, with or without problems', tally['accepted']],
    ['refused with one sentence', tally['refused']],
    ['errors that are no refusal', tally['failed']],
    ['over 1 s', tally['slow']],
    ['slowest, ms', Math.round(tally['slowest'])],
    ['growth of the process after warm-up, MiB', Math.round(tally['growth'] / 2 ** 20)],
  ];
  const text = rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n');
  const page = `# Fuzzing\n\nMutants of real models through reading, shape inference and graph building (\`npm run bench:fuzz\`).\n\n| | |\n|---|---|\n${text}\n`;
  process.stdout.write(`${text}\n`);
  if (inputs >= DOCUMENTED) writeFileSync(resolve(__dirname, '../../docs/fuzzing.md'), page);
}

const [inputs = INPUTS, seed = 1] = process.argv.slice(2).map(Number);
if (!run(inputs, seed)) process.exitCode = 1;
