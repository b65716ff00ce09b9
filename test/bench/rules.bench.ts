import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadRuntime } from '../../src/engine/runtime';
import { conformanceCases } from '../support/conformance';
import { LAYERS } from '../support/layerModels';
import { type CaseResult, runSplitCase, runSplitModel } from '../support/splitCases';

const TABLE = resolve(__dirname, '../../docs/bench-rules.md');
const REASON_LENGTH = 110;

/** Every conformance case whose operator can be split, in each dimension, into 2, 3 and 4 uneven shards. */
async function main(): Promise<void> {
  const runtime = await loadRuntime();
  const wanted = process.argv[2] ?? '';
  const cases = (conformanceCases() ?? []).filter(({ name }) => name.includes(wanted));
  const results: CaseResult[] = [];
  for (const one of cases) results.push(await runSplitCase(runtime, one));
  const layers: CaseResult[] = [];
  for (const { name, bytes } of LAYERS) layers.push(await runSplitModel(runtime, name, bytes));
  const text = page(runtime.name, results, layers);
  process.stdout.write(text);
  if (wanted === '') writeFileSync(TABLE, text);
}

function page(runtime: string, results: readonly CaseResult[], layers: readonly CaseResult[]): string {
  const split = results.filter(({ skipped }) => skipped === undefined);
  const failures = [...results, ...layers].flatMap(({ name, failures }) =>
    failures.map((one) => `${name}: ${one}`),
  );
  return `# Partition rules, by execution

Every conformance case of ONNX whose operator can be split, in each dimension and axis, into 2, 3 and 4 uneven shards:
the partitioned graph, run with ${runtime}, must give the case's own expected outputs. Written by \`npm run bench:rules\`.

| | conformance cases | layers of our own |
|---|---|---|
| run | ${results.length} | ${layers.length} |
| split | ${split.length} | ${layers.length} |
| not split | ${results.length - split.length} | 0 |
| partitioned graphs run | ${count(split)} | ${count(layers)} |
| of them different | ${failures.length} | |

${failures.map((failure) => `- ${failure}`).join('\n')}
## Split, by operator type

Types of the operators that were split (also inside cases that write an operator out as several), with the number of
partitioned graphs per dimension.

| operator | H | W | C | K |
|---|---|---|---|---|
${byType(split).join('\n')}

## Not split

| cases | why |
|---|---|
${reasons(results).join('\n')}
`;
}

function count(results: readonly CaseResult[]): number {
  return results.reduce((sum, { runs }) => sum + runs.length, 0);
}

function byType(results: readonly CaseResult[]): string[] {
  const types = new Map<string, Map<string, number>>();
  for (const run of results.flatMap(({ runs }) => runs)) {
    const [type, dimension] = run.split(' ');
    const counts = types.get(type) ?? new Map<string, number>();
    counts.set(dimension, (counts.get(dimension) ?? 0) + 1);
    types.set(type, counts);
  }
  return [...types]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([type, counts]) =>
        `| ${type} | ${['H', 'W', 'C', 'K'].map((letter) => counts.get(letter) ?? '').join(' | ')} |`,
    );
}

function reasons(results: readonly CaseResult[]): string[] {
  const counts = new Map<string, number>();
  for (const { skipped } of results) {
    if (skipped === undefined) continue;
    const reason = skipped
      .replace(/\/onnxruntime_src\S+ /, '')
      .replace(/\|/g, '/')
      .slice(0, REASON_LENGTH);
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([reason, cases]) => `| ${cases} | ${reason} |`);
}

void main();
