import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { Model } from '../core/onnx/model';
import { encodePlan, LARGEST_PLAN_BYTES, parsePlan, PLAN_EXTENSION } from '../core/plan/codec';
import type { Plan } from '../core/plan/plan';
import { readText, writeAtomically } from './files';

/** `<model>.memorianova.json` beside the model; with a cluster's name between where there are several plans. */
export function planPath(modelPath: string, clusterName?: string): string {
  const stem = basename(modelPath, extname(modelPath));
  const cluster = clusterName === undefined ? '' : `.${clusterName.replace(/[^\p{L}\p{N}_-]+/gu, '-')}`;
  return join(dirname(modelPath), `${stem}${cluster}${PLAN_EXTENSION}`);
}

export function savePlan(path: string, plan: Plan): void {
  writeAtomically(path, encodePlan(plan));
}

export function loadPlan(path: string): Plan {
  return parsePlan(readText(path, LARGEST_PLAN_BYTES));
}

/** The plan beside a model, or `undefined` where there is none. */
export function planBeside(modelPath: string): { path: string; plan: Plan } | undefined {
  const path = planPath(modelPath);
  return existsSync(path) ? { path, plan: loadPlan(path) } : undefined;
}

/** Whether a plan was made for this very structure; weights are not compared (they do not change a plan). */
export function isCurrent(plan: Plan, model: Pick<Model, 'fileBytes' | 'structureSha256'>): boolean {
  return plan.model.bytes === model.fileBytes && plan.model.structureSha256 === model.structureSha256;
}

/** SHA-256 of a whole file, streamed; hex. */
export async function fileSha256(path: string, cancelled: () => boolean = () => false): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    if (cancelled()) break;
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
