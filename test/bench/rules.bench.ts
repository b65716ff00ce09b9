import { conformanceCases } from '../support/conformance';
import { runSplitCase } from '../support/splitCases';
import { loadRuntime } from '../../src/engine/runtime';

async function main(): Promise<void> {
  const runtime = await loadRuntime('native');
  const cases = conformanceCases() ?? [];
  const filter = process.argv[2] ?? '';
  let split = 0,
    runs = 0,
    failed = 0;
  const skipped = new Map<string, number>();
  for (const one of cases) {
    if (!one.name.includes(filter)) continue;
    let result;
    try {
      result = await runSplitCase(runtime, one);
    } catch (e) {
      console.log('ERR', one.name, (e as Error).stack?.split('\n').slice(0, 4).join(' | '));
      failed++;
      continue;
    }
    if (result.skipped) {
      skipped.set(result.skipped, (skipped.get(result.skipped) ?? 0) + 1);
      if (filter) console.log('skip', one.name, result.skipped);
    } else split++;
    runs += result.runs.length;
    failed += result.failures.length;
    for (const f of result.failures) console.log('FAIL', one.name, f);
  }
  for (const [k, v] of [...skipped].sort((a, b) => b[1] - a[1])) console.log(v, k);
  console.log({ cases: cases.length, split, runs, failed });
}
void main();
