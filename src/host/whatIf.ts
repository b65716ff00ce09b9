import * as vscode from 'vscode';
import type { PlanState, SweepOf, SweepResult, WhatIf, WhatIfOutcome } from '../protocol/webview';
import type { WhatIfRequest } from '../protocol/worker';
import { sentence, UserError } from './log';
import { modelSource } from './modelSource';
import { savePlan } from './optimize';
import { CancelledError, type Runs } from './runs';
import { fileName, type Session } from './session';
import type { Sessions } from './sessions';
import { settingsFor } from './settings';

/** A what-if starts from a good plan: a part of the evaluations of a whole search is enough for each. */
const WHAT_IF_SHARE = 0.1;
const SWEEP_SHARE = 0.01;

/** Searches a plan for another cluster from the shown one, and shows it unsaved. */
export function askWhatIf(session: Session, wish: WhatIf, runs: Runs): Promise<WhatIfOutcome> {
  return answering<WhatIfOutcome>(async () => {
    const request = await requestFor(session, wish, WHAT_IF_SHARE, runs);
    const { text } = await runs.startInEditor(session.uri, (worker, cancel) =>
      worker.request('whatIf', { ...request, cancel }),
    );
    await session.showUnsaved(text);
    return { kind: 'shown' };
  });
}

/** Latency over bandwidth or memory; nothing is shown or saved but the answer. */
export function sweepOver(session: Session, wish: WhatIf & SweepOf, runs: Runs): Promise<SweepResult> {
  return answering<SweepResult>(async () => {
    const request = await requestFor(session, wish, SWEEP_SHARE, runs);
    const { of, values } = wish;
    return runs.startInEditor(session.uri, (worker, cancel) =>
      worker.request('sweep', { ...request, of, values, cancel }),
    );
  });
}

/** The shown plan takes the saved one's file. */
export async function keepPlan(session: Session, sessions: Sessions): Promise<void> {
  const { unsaved, uri } = session;
  if (unsaved === null) return;
  await savePlan(uri, planName(session.plan, uri), unsaved.text);
  await Promise.all(sessions.of(uri).map((each) => each.refresh()));
}

function planName(plan: PlanState, model: vscode.Uri): string {
  return plan.kind === 'none' ? `${fileName(model).replace(/\.onnx$/i, '')}.memorianova.json` : plan.fileName;
}

/** What went wrong becomes a part of the answer: it is shown where it was asked. */
async function answering<Outcome>(
  work: () => Promise<Outcome>,
): Promise<Outcome | Exclude<WhatIfOutcome, { kind: 'shown' }>> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CancelledError) return { kind: 'cancelled' };
    return { kind: 'refused', message: sentence(error) };
  }
}

async function requestFor(
  session: Session,
  { cluster, pins }: WhatIf,
  share: number,
  runs: Runs,
): Promise<Omit<WhatIfRequest, 'cancel'>> {
  runs.requireFree(session.uri);
  const { evaluations, timeLimitSeconds } = settingsFor(session.uri).optimize;
  return {
    model: await modelSource(session.uri),
    start: shownPlanText(session),
    ...{ cluster, pins },
    evaluations: Math.max(1, Math.round(evaluations! * share)),
    ...(timeLimitSeconds === undefined ? {} : { timeLimitSeconds }),
  };
}

function shownPlanText({ unsaved, plan, uri }: Session): string {
  if (unsaved !== null) return unsaved.text;
  if (plan.kind === 'current') return JSON.stringify(plan.plan.plan);
  throw new UserError(vscode.l10n.t('{0} has no plan yet: optimize it first.', fileName(uri)));
}
