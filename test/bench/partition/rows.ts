import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Gene } from '../../../src/core/latency/gene';
import type { LatencyModel } from '../../../src/core/latency/workload';
import type { Network } from '../../support/fourDevices';
import type { Memory } from './scene';

/** What identifies a row: measuring it again replaces it. */
export interface RowKey {
  readonly model: string;
  readonly network: Network;
  readonly latency: LatencyModel;
  readonly memory: Memory;
  readonly seed: number;
}

export interface Outcome {
  readonly ns: number;
  readonly valid: boolean;
  /** Plans tried, where it is a search. */
  readonly evaluations?: number;
}

/** One line of the table, kept between runs. */
export interface Row extends RowKey {
  readonly operators: number;
  /** Asked for; the search may round it to whole epochs. */
  readonly wantedEvaluations: number;
  readonly geneflow: Outcome;
  /** Where the bound begins beside the search: the latency of the plan that it begins with. */
  readonly nearNs?: number;
  readonly boundNs: number;
  readonly boundMethod: string;
  /** By column name; absent where the method found no plan at all. */
  readonly opponents: Readonly<Record<string, Outcome>>;
  /** By operator: for the replay in the other latency model. */
  readonly genes: readonly (Gene | null)[];
  readonly searchSeconds: number;
  readonly boundSeconds: number;
  /** The machine's load average (1 min) when the row began. */
  readonly load: number;
}

/** The search with a part left out. */
export interface AblationRow {
  readonly model: string;
  readonly part: string;
  readonly seed: number;
  readonly evaluations: number;
  readonly ns: number;
}

const FOLDER = resolve(__dirname, '../../../.cache/bench-partition');

export function rowFile({ model, network, latency, memory, seed }: RowKey): string {
  return `row ${model} ${network} ${latency} ${memory} ${seed}.json`;
}

export function ablationFile({ model, part, seed }: Pick<AblationRow, 'model' | 'part' | 'seed'>): string {
  return `ablation ${model} ${part} ${seed}.json`;
}

export function readKept<Kept>(file: string): Kept | undefined {
  const path = join(FOLDER, file);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Kept) : undefined;
}

export function keep(file: string, result: unknown): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, file), JSON.stringify(result));
}

export function allKept<Kept>(prefix: 'row' | 'ablation'): Kept[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER)
    .filter((file) => file.startsWith(`${prefix} `))
    .sort()
    .map((file) => readKept<Kept>(file)!);
}
