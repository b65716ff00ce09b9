import { fullReport } from '../../engine/checkPlan';
import { isCurrent, loadPlan } from '../../engine/planFile';
import { type Command, flagOption, JSON_OPTION } from '../command';
import { secondsText } from '../format';
import { openModelWith } from '../model';

export const checkCommand: Command = {
  name: 'check',
  usage: 'model.onnx plan.memorianova.json',
  summary: 'replay a plan with a checker of its own and list every violation',
  files: [2, 2],
  options: { json: JSON_OPTION },
  async run(invocation) {
    const { files, output } = invocation;
    const plan = loadPlan(files[1]);
    const { model, graph } = openModelWith(
      files[0],
      new Map(Object.entries(plan.model.bindings)),
      plan.options.fuse,
    );
    const report = isCurrent(plan, model)
      ? fullReport(graph, plan)
      : {
          valid: false,
          violations: [
            {
              rule: 'model' as const,
              message: 'The plan was made for another model (its structure or size differs): optimize again.',
            },
          ],
        };
    if (flagOption(invocation, 'json')) output.line(JSON.stringify(report, null, 2));
    else {
      for (const { rule, message } of report.violations) output.line(`${rule}: ${message}`);
      output.line(
        report.valid
          ? `valid: every shard, message and byte accounted for; ${secondsText(report.seconds ?? 0)} latency replayed`
          : `not valid: ${report.violations.length} violation${report.violations.length === 1 ? '' : 's'}`,
      );
    }
    return report.valid ? 0 : 1;
  },
};
