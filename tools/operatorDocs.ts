import { writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { FLOP_TABLE } from '../src/core/analysis/flopTable';
import { knownOperators } from '../src/core/shape/rules/registry';
import { projectFolder } from './project';

export const OPERATOR_DOCS = projectFolder('docs', 'operators.md');

const HEAD = `# Operators and their FLOPs

Written by \`npm run docs:operators\` from the table that the analysis uses; a test compares the two.

Types and shapes are inferred for every operator below, at the version that the model imports. Any other operator is
shown and treated as opaque: its outputs are what the file declares of them, its FLOPs are unknown.

A multiplication and an addition are 2 FLOPs. Convolutions, products and pools are counted by their definition;
elementwise operators, activations and normalisations 1 to 5 per element by what they compute; what only moves data
0. A function counts what its body counts. Counts are exact integers; beyond 2^53 they are unknown.
`;

/** The page as it should stand in the docs: one table per domain, operators with the same formula together. */
export async function operatorDocs(): Promise<string> {
  const domains = [...new Set(knownOperators().map((operator) => operator.domain))];
  const tables = domains.map((domain) => {
    const types = knownOperators().filter((one) => one.domain === domain);
    const byFormula = new Map<string, string[]>();
    for (const { type } of types) {
      const formula = FLOP_TABLE.get(domain)?.get(type)?.text ?? 'unknown';
      byFormula.set(formula, [...(byFormula.get(formula) ?? []), `\`${type}\``]);
    }
    const rows = [...byFormula].map(([formula, names]) => `| ${formula} | ${names.join(', ')} |`);
    return [
      `## ${domain || 'ai.onnx'}`,
      '',
      `${types.length} operators.`,
      '',
      '| FLOPs | operators |',
      '| --- | --- |',
      ...rows,
    ].join('\n');
  });
  const text = `${HEAD}\n${tables.join('\n\n')}\n`;
  return format(text, { ...(await resolveConfig(OPERATOR_DOCS)), filepath: OPERATOR_DOCS });
}

if (require.main === module) void operatorDocs().then((text) => writeFileSync(OPERATOR_DOCS, text));
