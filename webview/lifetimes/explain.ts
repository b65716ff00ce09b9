import { el } from '../dom';
import type { Session } from '../session';
import { bytesText, countText } from '../units';
import type { LifetimeBox } from './boxes';
import { aliveAt } from './geometry';
import type { LinkedActions } from './view';

const MOST_ROWS = 60;

/** Why memory is what it is at a step: who is alive, how large, made and last read by whom. */
export function explainPeak(
  session: Session,
  boxes: readonly LifetimeBox[],
  step: number,
  actions: LinkedActions,
): Node[] {
  const memory = (session.plan?.view ?? session.opened!).memory;
  const { graph } = session.opened!;
  const alive = aliveAt(boxes, step);
  const live = memory.liveBytes[step];
  const head = ['tensor', 'size', 'of live', 'made by', 'last read by', 'why it is alive'];
  const rows = alive.slice(0, MOST_ROWS).map((box) => {
    const producer = box.tensor === -1 ? -1 : graph.tensors.producers[box.tensor];
    const lastReader = memory.operators[box.endStep - 1];
    const row = el(
      'tr',
      { tabIndex: 0 },
      el('td', {}, box.tensor === -1 ? '?' : graph.tensors.names[box.tensor]),
      el('td', { className: 'number' }, bytesText(box.bytes)),
      el('td', { className: 'number' }, `${Math.round((box.bytes / live) * 100)} %`),
      el('td', {}, producer < 0 ? 'model input' : nameOf(session, producer)),
      el('td', {}, nameOf(session, lastReader)),
      el('td', {}, reason(box, step, producer)),
    );
    const go = (): void => {
      if (box.tensor !== -1) actions.goToTensor(box.tensor);
    };
    row.addEventListener('click', go);
    row.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') go();
    });
    return row;
  });
  const peak = step === memory.peakStep ? 'The peak' : 'Live';
  const operator = nameOf(session, memory.operators[step]);
  const more = alive.length - MOST_ROWS;
  return [
    el(
      'h4',
      {},
      `${peak} at step ${step}: ${bytesText(live, memory.known)} in ${countText(alive.length, 'storage')} while ${operator} runs`,
    ),
    el(
      'table',
      { className: 'data' },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ...head.map((text, i) =>
            el('th', { scope: 'col', className: i === 1 || i === 2 ? 'number' : '' }, text),
          ),
        ),
      ),
      el('tbody', {}, ...rows),
    ),
    ...(more > 0 ? [el('p', { className: 'note' }, `and ${more} smaller ones`)] : []),
  ];
}

function nameOf(session: Session, op: number | undefined): string {
  const main = session.trail[0];
  if (op === undefined || op < 0 || main === undefined) return '–';
  const name = main.graph.operators.names[op];
  return name === '' ? main.typeText(op) : `${main.typeText(op)} ${name}`;
}

function reason(box: LifetimeBox, step: number, producer: number): string {
  if (box.firstStep === step && producer >= 0) return 'made at this step';
  if (box.endStep === step + 1) return 'read for the last time';
  return `waits ${countText(box.endStep - 1 - step, 'more step')} for its last reader`;
}
