import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { analyzeModel } from '../../src/engine/analyze';
import { FileByteSource } from '../../src/engine/byteSource';
import { exportPlanned } from '../../src/engine/export';
import { freeControl } from '../support/control';
import { corpusFolder } from '../support/corpus';
import { openCorpusModel } from '../support/corpusModels';
import { inTemporaryFolder } from '../support/temporary';
import { unevenPlan } from '../support/unevenPlan';

const TABLE = resolve(__dirname, '../../docs/bench-export.md');
const MODELS = [
  'public/light_bvlc_alexnet.onnx',
  'public/light_vgg19.onnx',
  'public/light_resnet50.onnx',
  'public/light_inception_v1.onnx',
  'public/light_squeezenet.onnx',
  'public/light_shufflenet.onnx',
  'public/light_densenet121.onnx',
  'architectures/nasnet-imagenet.onnx',
  'architectures/amoebanet-cifar.onnx',
  'architectures/darts-cifar.onnx',
  'architectures/randwire-stack-s1.onnx',
];

/** The 11 models, each split over three devices, exported in all three ways and read again by our own reader. */
async function main(): Promise<void> {
  const folder = corpusFolder();
  if (folder === undefined) return;
  const rows: string[] = [];
  for (const path of MODELS)
    rows.push(await inTemporaryFolder((target) => Promise.resolve(row(join(folder, path), target))));
  const text = `# Export

Each model over three devices in unequal shares, exported in all three ways and read again: nodes, files, and milliseconds
on two shared cores. *Read again*: operators that our own reader finds in the partitioned graph, and its errors. Written by
\`npm run bench:export\`; the exports of models with weights are run by \`npm run bench:verify\`.

| model | operators | partitioned: nodes | ms | reordered: bytes as before | per device: models | ms | read again: operators | errors | weights |
|---|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}
`;
  process.stdout.write(text);
  writeFileSync(TABLE, text);
}

function row(path: string, target: string): string {
  const model = openCorpusModel(dirname(path), path.slice(dirname(path).length + 1));
  const planned = unevenPlan(model.graph);
  const timed = (name: string, kind: 'partitioned' | 'per-device') => {
    const started = performance.now();
    const report = exportPlanned(
      { ...model, planned },
      join(target, name),
      { kind, force: false },
      freeControl(),
    );
    return { report, milliseconds: (performance.now() - started).toFixed(0) };
  };
  const one = timed('one.onnx', 'partitioned');
  const devices = timed('devices', 'per-device');
  const isSame =
    one.report.absentWeights.length > 0 ? 'weights elsewhere' : reordered(model, planned, target);
  const source = new FileByteSource(join(target, 'one.onnx'));
  const again = analyzeModel(source, { bindings: new Map(), fuse: 'none' });
  source.close();
  model.source.close();
  const errors = again.problems.filter(({ severity }) => severity === 'error').length;
  const weights = one.report.absentWeights.length === 0 ? 'there' : 'absent';
  const models = devices.report.files.filter(({ name }) => name.endsWith('.onnx')).length;
  const cells = [
    path.slice(path.lastIndexOf('/') + 1),
    model.graph.operators.length,
    one.report.nodes,
    one.milliseconds,
    isSame,
    models,
    devices.milliseconds,
    again.graph.operators.length,
    errors,
    weights,
  ];
  return `| ${cells.join(' | ')} |`;
}

function reordered(
  model: ReturnType<typeof openCorpusModel>,
  planned: ReturnType<typeof unevenPlan>,
  target: string,
): string {
  const out = join(target, 'reordered.onnx');
  const report = exportPlanned({ ...model, planned }, out, { kind: 'reorder', force: false }, freeControl());
  return existsSync(out) && report.files[0].bytes === model.source.size ? 'yes' : 'no';
}

void main();
