import { basename, dirname, extname, join } from 'node:path';
import { bytesText } from '../../core/cluster/quantity';
import { controlWith } from '../../engine/control';
import { type ExportKind, type ExportProgress, exportPlan } from '../../engine/export';
import { loadPlan } from '../../engine/planFile';
import { type Command, flagOption, type Invocation, JSON_OPTION, textOption, UsageError } from '../command';

/** What is put behind the model's name where `--out` is not given. */
const DEFAULT_ENDINGS: Readonly<Record<ExportKind, string>> = {
  partitioned: '.partitioned.onnx',
  reorder: '.reordered.onnx',
  'per-device': '.devices',
};

export const exportCommand: Command = {
  name: 'export',
  usage: 'model.onnx plan.memorianova.json',
  summary: 'write the partitioned model as ONNX: one graph, the reordered model, or one model per device',
  files: [2, 2],
  options: {
    json: JSON_OPTION,
    out: { type: 'string', value: 'PATH', summary: 'where to write (default: beside the model)' },
    reorder: { type: 'boolean', summary: "the model as it is, its nodes in the plan's order" },
    'per-device': { type: 'boolean', summary: 'a folder of models per device and segment, with a manifest' },
    force: { type: 'boolean', summary: 'replace an older export' },
  },
  async run(invocation) {
    const { files, output } = invocation;
    const kind = kindOf(invocation);
    const out = textOption(invocation, 'out') ?? defaultTarget(files[0], kind);
    const control = controlWith<ExportProgress>(output.cancelled, ({ file, done, total }) =>
      output.progress(`writing ${file} (${done + 1} of ${total})`),
    );
    const options = { kind, force: flagOption(invocation, 'force') };
    const report = await exportPlan(files[0], loadPlan(files[1]), out, options, control);
    output.progress('');
    if (flagOption(invocation, 'json')) output.line(JSON.stringify(report, null, 2));
    else if (report.cancelled) output.line('cancelled: nothing was written');
    else {
      const bytes = report.files.reduce((sum, file) => sum + file.bytes, 0);
      const count = report.files.length === 1 ? '1 file' : `${report.files.length} files`;
      output.line(`${out}: ${report.nodes} nodes, ${count}, ${bytesText(bytes)}`);
      if (report.absentWeights.length > 0)
        output.line(`without weights: ${report.absentWeights.join(', ')} are not beside the model`);
    }
    return report.cancelled ? 1 : 0;
  },
};

function kindOf(invocation: Invocation): ExportKind {
  const [isReorder, isPerDevice] = [flagOption(invocation, 'reorder'), flagOption(invocation, 'per-device')];
  if (isReorder && isPerDevice) throw new UsageError('--reorder and --per-device exclude each other.');
  if (isReorder) return 'reorder';
  return isPerDevice ? 'per-device' : 'partitioned';
}

function defaultTarget(model: string, kind: ExportKind): string {
  return join(dirname(model), `${basename(model, extname(model))}${DEFAULT_ENDINGS[kind]}`);
}
