import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { scanLayout } from '../../src/core/export/modelLayout';
import { analyzeModel } from '../../src/engine/analyze';
import { FileByteSource } from '../../src/engine/byteSource';
import { loadRuntime } from '../../src/engine/runtime';
import { verifyPlanned } from '../../src/engine/verify';
import { corpusFolder } from '../support/corpus';
import { unevenPlan } from '../support/unevenPlan';

async function main(): Promise<void> {
  const folder = corpusFolder('public')!;
  const runtime = await loadRuntime('native');
  for (const file of readdirSync(folder).filter(
    (name) => name.endsWith('.onnx') && name.includes(process.argv[2] ?? ''),
  )) {
    const started = performance.now();
    try {
      const source = new FileByteSource(join(folder, file));
      const { graph } = analyzeModel(source, {
        bindings: new Map(),
        fuse: (process.argv[3] as 'conv') ?? 'none',
      });
      const planned = unevenPlan(graph);
      const split = planned.partitions.filter((p) => p && p.dimension !== 'none').length;
      const report = await verifyPlanned(
        runtime,
        { path: join(folder, file), source, layout: scanLayout(source), planned },
        1,
        { cancelled: () => false, now: () => 0, report: () => undefined },
      );
      const worst = Math.max(0, ...report.operators.map((o) => o.relative));
      console.log(
        report.isEqual ? 'ok  ' : 'DIFF',
        file,
        `${split}/${graph.operators.length}`,
        worst.toExponential(1),
        'outputs',
        Math.max(0, ...report.outputs.map((o) => o.relative)).toExponential(1),
        report.unseen,
        report.failing ? JSON.stringify(report.failing) : '',
        `${(performance.now() - started).toFixed(0)} ms`,
      );
    } catch (e) {
      console.log(
        'ERR ',
        file,
        (e as Error).name === 'InputError'
          ? (e as Error).message.slice(0, 300)
          : (e as Error).stack?.slice(0, 600),
      );
    }
  }
}
void main();
