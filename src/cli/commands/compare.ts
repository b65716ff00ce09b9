import { bytesText } from '../../core/cluster/quantity';
import { diffPlans, type PlanDiff } from '../../core/plan/diff';
import { loadPlan } from '../../engine/planFile';
import { type Command, flagOption, JSON_OPTION } from '../command';
import { changeText, secondsText, table } from '../format';

const OPERATORS_SHOWN = 20;

export const compareCommand: Command = {
  name: 'compare',
  usage: 'before.memorianova.json after.memorianova.json',
  summary: 'what changed from one plan to another: latency, peaks per device, partitions, order',
  files: [2, 2],
  options: { json: JSON_OPTION },
  async run(invocation) {
    const { files, output } = invocation;
    const diff = diffPlans(loadPlan(files[0]), loadPlan(files[1]));
    if (flagOption(invocation, 'json')) output.line(JSON.stringify(diff, null, 2));
    else for (const line of diffLines(diff)) output.line(line);
    return 0;
  },
};

function diffLines({ seconds, peakBytes, devices, operators, orderChanged }: PlanDiff): string[] {
  const bytes = (value: number | undefined): string => (value === undefined ? 'absent' : bytesText(value));
  const change = (before: number | undefined, after: number | undefined): string =>
    before === undefined || after === undefined ? '' : changeText(before, after);
  const rows = [
    ['', 'before', 'after', 'change'],
    [
      'latency',
      secondsText(seconds.before),
      secondsText(seconds.after),
      changeText(seconds.before, seconds.after),
    ],
    [
      'peak on one device',
      bytes(peakBytes.before),
      bytes(peakBytes.after),
      change(peakBytes.before, peakBytes.after),
    ],
    ...devices.map(({ name, before, after }) => [
      `peak on ${name}`,
      bytes(before),
      bytes(after),
      change(before, after),
    ]),
  ];
  const lines = [...table(rows), orderChanged ? 'the order differs' : 'the order is the same'];
  lines.push(`${operators.length} operators are partitioned differently`);
  for (const { index, name, before, after } of operators.slice(0, OPERATORS_SHOWN)) {
    lines.push(`  ${index} ${name}: ${before} -> ${after}`);
  }
  if (operators.length > OPERATORS_SHOWN) lines.push(`  and ${operators.length - OPERATORS_SHOWN} more`);
  return lines;
}
