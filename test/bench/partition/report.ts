/** The page of all rows kept. */
import { GRID_PARTS, OPPONENTS, RANDOM_OPERATORS, STRATEGY_SHARE } from './measure';
import type { AblationRow, Outcome, Row } from './rows';
import { NETWORKS, type Network } from '../../support/fourDevices';
import { LATENCIES, MEMORIES, MODELS, shortName, type Memory } from './scene';

/** The paper's figure, whose models, devices and opponent are not public. */
const PAPER_REDUCTION = 0.339;
const BEST_SINGLE = 'best single';

const milliseconds = (ns: number): string => (ns / 1e6).toFixed(ns < 1e7 ? 2 : 1);
const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
const memoryText = (memory: Memory): string => (memory === 'unlimited' ? memory : `${memory} %`);
const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

export function page(rows: readonly Row[], ablation: readonly AblationRow[]): string {
  const sorted = [...rows].sort((a, b) => rank(a) - rank(b) || a.seed - b.seed);
  const sections = (Object.keys(NETWORKS) as Network[]).flatMap((network) =>
    LATENCIES.flatMap((latency) => {
      const own = sorted.filter((row) => row.network === network && row.latency === latency);
      return own.length === 0 ? [] : [section(`${NETWORKS[network]}, ${latency}`, own)];
    }),
  );
  return [
    introduction(sorted),
    ...sections,
    ...(ablation.length === 0 ? [] : [ablationSection(ablation)]),
  ].join('\n');
}

function rank({ model, memory }: Row): number {
  const at = MODELS.findIndex((path) => shortName(path) === model);
  return at * MEMORIES.length + MEMORIES.indexOf(memory);
}

function introduction(rows: readonly Row[]): string {
  const loads = rows.map(({ load }) => load);
  const grid = GRID_PARTS.map(([most, parts]) =>
    most === Infinity ? `1/${parts} above` : `shares of 1/${parts} up to ${most} operators`,
  ).join(', ');
  const busy =
    rows.length === 0
      ? ''
      : ` The machine's load was ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)} when rows began.`;
  return `# Partition: GenEFlow, its opponents and the proven bounds

Written by \`npm run bench:partition\`. Latencies in ms, estimated; four devices of 12, 6, 6 and 3 GFLOP/s, 50 us per
operator, 0.2 ms per message, source and sink the fastest; each device's memory as a share of what the model needs on one
device; operators as in the file (\`fuse: none\`). An exclamation mark: that plan exceeds a memory. Seconds of wall time on
two cores, search and bound.${busy}

**Opponents.** The best device alone; rows and channels shared equally (MoDNN) and by speed (CoEdge), the best of several
sets of devices; memory-aware layer pipeline by exact dynamic programming; fused row tiles with recomputed halos
(DeepThings); operator by operator (EdgeFlow); exact elimination over neighbourhoods (ours); linear-program relaxation,
rounded; the grid optimum of the synchronous model by elimination
(${grid}); random search with as many evaluations, up to ${RANDOM_OPERATORS.toLocaleString('en')} operators
evaluated; the best plan of the other latency model, replayed; and GenEFlow itself in the strategies horizontal and
vertical with 1/${1 / STRATEGY_SHARE} of the evaluations.

${overall(rows)}`;
}

function overall(rows: readonly Row[]): string {
  const lines = (Object.keys(NETWORKS) as Network[]).flatMap((network) =>
    LATENCIES.flatMap((latency) => {
      const own = rows.filter((row) => row.network === network && row.latency === latency);
      return own.length === 0 ? [] : [summaryLine(NETWORKS[network], latency, own)];
    }),
  );
  if (lines.length === 0) return '';
  const head = [
    'network',
    'latency',
    'less than best single',
    ...MEMORIES.map((memory) => `gap, ${memoryText(memory)}`),
    'rows',
    'without a valid plan',
    'behind an opponent',
    'tighter memory better',
  ];
  return `${table(head, lines)}

Geometric means over models; "less than best single" without memory limits. The paper reports ${percent(PAPER_REDUCTION)} less, on
models, devices and against a baseline that are not public: it stands beside ours as a floor, not as a comparison.
`;
}

function summaryLine(network: string, latency: string, rows: readonly Row[]): string[] {
  const reductions = rows
    .filter(({ memory, geneflow }) => memory === 'unlimited' && geneflow.valid)
    .map(({ geneflow, opponents }) => geneflow.ns / opponents[BEST_SINGLE].ns);
  const gap = (memory: Memory): string => {
    const valid = rows.filter((row) => row.memory === memory && row.geneflow.valid);
    if (valid.length === 0) return '-';
    return `${percent(geometricMean(valid.map(({ geneflow, boundNs }) => geneflow.ns / boundNs)) - 1)} of ${valid.length}`;
  };
  return [
    network,
    latency,
    reductions.length === 0 ? '-' : `${percent(1 - geometricMean(reductions))} of ${reductions.length}`,
    ...MEMORIES.map(gap),
    String(rows.length),
    String(rows.filter(({ geneflow }) => !geneflow.valid).length),
    String(rows.filter((row) => isBehind(row).length > 0).length),
    String(rows.filter((row) => isBetterThanLooser(row, rows)).length),
  ];
}

/** Opponents with a better plan. */
function isBehind({ geneflow, opponents }: Row): string[] {
  return OPPONENTS.filter((name) => {
    const opponent: Outcome | undefined = opponents[name];
    return opponent?.valid === true && (!geneflow.valid || opponent.ns < geneflow.ns);
  });
}

/** Whoever has more memory can run the plan of who has less. */
function isBetterThanLooser(row: Row, rows: readonly Row[]): boolean {
  return rows.some(
    (looser) =>
      looser.model === row.model &&
      looser.seed === row.seed &&
      MEMORIES.indexOf(looser.memory) < MEMORIES.indexOf(row.memory) &&
      row.geneflow.valid &&
      (!looser.geneflow.valid || row.geneflow.ns < looser.geneflow.ns),
  );
}

function section(title: string, rows: readonly Row[]): string {
  const head = [
    'model',
    'memory',
    ...OPPONENTS,
    'GenEFlow',
    'bound',
    'gap',
    'valid',
    'behind',
    'evaluations',
    's',
  ];
  const several = new Set(rows.map(({ seed }) => seed)).size > 1;
  const cell = (outcome: Outcome | undefined): string =>
    outcome === undefined || !Number.isFinite(outcome.ns)
      ? '-'
      : `${milliseconds(outcome.ns)}${outcome.valid ? '' : '!'}`;
  const lines = rows.map((row) => [
    several ? `${row.model}, seed ${row.seed}` : row.model,
    memoryText(row.memory),
    ...OPPONENTS.map((name) => cell(row.opponents[name])),
    cell(row.geneflow),
    milliseconds(row.boundNs),
    row.geneflow.valid ? percent(row.geneflow.ns / row.boundNs - 1) : '-',
    row.geneflow.valid ? 'yes' : 'no',
    isBehind(row).join(', '),
    String(row.geneflow.evaluations),
    `${row.searchSeconds.toFixed(0)} + ${row.boundSeconds.toFixed(0)}`,
  ]);
  return `## ${title}\n\n${table(head, lines)}\n`;
}

function ablationSection(ablation: readonly AblationRow[]): string {
  const parts = [...new Set(ablation.map(({ part }) => part))];
  const models = [...new Set(ablation.map(({ model }) => model))];
  const seeds = new Set(ablation.map(({ seed }) => seed)).size;
  const lines = models.map((model) => {
    const own = ablation.filter((row) => row.model === model);
    const mean = (part: string): number =>
      geometricMean(own.filter((row) => row.part === part).map(({ ns }) => ns));
    const whole = mean(parts[0]);
    return [
      model,
      [...new Set(own.map(({ evaluations }) => evaluations))].join(', '),
      ...parts.map((part, at) => {
        const ns = mean(part);
        return at === 0
          ? milliseconds(ns)
          : `${milliseconds(ns)} (${ns < whole ? '' : '+'}${percent(ns / whole - 1)})`;
      }),
    ];
  });
  return `## Without parts of the search

Overlapped, 1 Gbit/s, no memory limits; geometric mean of ${seeds} seeds with equal evaluations, random search too.

${table(['model', 'evaluations', ...parts], lines)}
`;
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n');
}
