import { controlWith } from '../../engine/control';
import { loadPlan } from '../../engine/planFile';
import { verifyPlan, type VerifyProgress, type VerifyReport } from '../../engine/verify';
import { type Command, flagOption, JSON_OPTION, numberOption } from '../command';
import { table } from '../format';

const OPERATORS_SHOWN = 10;

export const verifyCommand: Command = {
  name: 'verify',
  usage: 'model.onnx plan.memorianova.json',
  summary:
    'run the model whole and partitioned on the same inputs and compare every output and split operator',
  files: [2, 2],
  options: {
    json: JSON_OPTION,
    seed: { type: 'string', value: 'N', summary: "seed of the inputs (default: the plan's)" },
  },
  async run(invocation) {
    const { files, output } = invocation;
    const control = controlWith<VerifyProgress>(output.cancelled, ({ phase, done, total }) =>
      output.progress(
        phase === 'model' ? 'running the whole model' : `comparing operators: ${done} of ${total}`,
      ),
    );
    const report = await verifyPlan(
      files[0],
      loadPlan(files[1]),
      { seed: numberOption(invocation, 'seed', 0, true) },
      control,
    );
    output.progress('');
    if (flagOption(invocation, 'json')) output.line(JSON.stringify(report, null, 2));
    else for (const line of reportLines(report)) output.line(line);
    return report.isEqual && !report.cancelled ? 0 : 1;
  },
};

function reportLines(report: VerifyReport): string[] {
  const rows = report.outputs.map((check) => [
    `  output ${check.tensor}`,
    check.absolute.toExponential(1),
    check.relative.toExponential(1),
    check.isEqual ? 'equal' : 'DIFFERS',
  ]);
  const worst = [...report.operators].sort((a, b) => b.relative - a.relative).slice(0, OPERATORS_SHOWN);
  const operators = worst.map((check) => [
    `  ${check.index} ${check.type} ${check.name} by ${check.dimension} on ${check.shards}`,
    check.absolute.toExponential(1),
    check.relative.toExponential(1),
    check.isEqual ? 'equal' : 'DIFFERS',
  ]);
  const lines = [
    `with ${report.runtime}, inputs of seed ${report.seed}`,
    ...table([['  largest difference', 'absolute', 'relative', ''], ...rows, ...operators]),
  ];
  if (report.operators.length > worst.length)
    lines.push(`  and ${report.operators.length - worst.length} more split operators`);
  if (report.unseen > 0) lines.push(`${report.unseen} split operators could not be looked at one by one`);
  if (report.cancelled) return [...lines, 'cancelled: what was compared until then'];
  const { failing } = report;
  if (failing)
    lines.push(
      `operator ${failing.index} (${failing.type} ${failing.name}) is the first whose shards make something else`,
    );
  lines.push(
    report.isEqual
      ? 'the partitioned model computes the same'
      : 'the partitioned model computes something else',
  );
  return lines;
}
