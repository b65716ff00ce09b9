import { el } from '../dom';
import type { Session } from '../session';
import { bytesText, countText, secondsText } from '../units';
import type { LifetimeBox } from './boxes';
import type { LifetimeContent, LifetimeLane } from './content';
import { aliveAt } from './geometry';
import type { LinkedActions } from './view';

const MOST_ROWS = 60;
const HEAD = ['tensor', 'size', 'of live', 'made by', 'last read by', 'why it is alive'] as const;

/** Why memory is what it is at a step or moment: who is alive, how large, made and last read by whom. */
export function explainAt(
  session: Session,
  { axis }: LifetimeContent,
  lane: LifetimeLane,
  at: number,
  actions: LinkedActions,
): Node[] {
  const alive = aliveAt(lane.boxes, at);
  const live = lane.base + alive.reduce((sum, box) => sum + box.bytes, 0);
  const rows = alive.slice(0, MOST_ROWS).map((box) => tensorRow(session, box, axis, at, live, actions));
  if (lane.base > 0) rows.push(baseRow(lane.base, live));
  const more = alive.length - MOST_ROWS;
  return [
    el('h4', {}, titleOf(session, axis, lane, at, live, alive.length)),
    el(
      'table',
      { className: 'data' },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ...HEAD.map((text, i) =>
            el('th', { scope: 'col', className: i === 1 || i === 2 ? 'number' : '' }, text),
          ),
        ),
      ),
      el('tbody', {}, ...rows),
    ),
    ...(more > 0 ? [el('p', { className: 'note' }, `and ${more} smaller ones`)] : []),
  ];
}

function titleOf(
  session: Session,
  axis: LifetimeContent['axis'],
  { device }: LifetimeLane,
  at: number,
  live: number,
  count: number,
): string {
  const memory = session.memory!;
  const what = `${bytesText(live, memory.known)} in ${countText(count, axis === 'steps' ? 'storage' : 'region')}`;
  if (axis === 'seconds') return `${session.plan!.deviceNames[device]} at ${secondsText(at)}: ${what}`;
  const step = Math.floor(at);
  const peak = step === memory.peakStep ? 'The peak' : 'Live';
  return `${peak} at step ${step}: ${what} while ${nameOf(session, memory.operators[step])} runs`;
}

function tensorRow(
  session: Session,
  box: LifetimeBox,
  axis: LifetimeContent['axis'],
  at: number,
  live: number,
  actions: LinkedActions,
): HTMLElement {
  const { graph } = session.opened!;
  const producer = box.tensor === -1 ? -1 : graph.tensors.producers[box.tensor];
  const isWeight = box.storage === -1 && box.tensor !== -1;
  const maker = isWeight ? 'a weight' : box.tensor === -1 ? '–' : 'model input';
  const row = el(
    'tr',
    { tabIndex: 0 },
    el('td', {}, box.tensor === -1 ? 'body of an operator' : graph.tensors.names[box.tensor]),
    el('td', { className: 'number' }, bytesText(box.bytes)),
    el('td', { className: 'number' }, share(box.bytes, live)),
    el('td', {}, producer < 0 ? maker : nameOf(session, producer)),
    el('td', {}, isWeight ? '–' : lastReader(session, box)),
    el('td', {}, isWeight ? 'resident throughout' : reason(box, axis, at, producer)),
  );
  const go = (): void => {
    if (box.tensor !== -1) actions.goToTensor(box.tensor);
  };
  row.addEventListener('click', go);
  row.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') go();
  });
  return row;
}

function baseRow(bytes: number, live: number): HTMLElement {
  return el(
    'tr',
    {},
    el('td', {}, 'weights and runtime'),
    el('td', { className: 'number' }, bytesText(bytes)),
    el('td', { className: 'number' }, share(bytes, live)),
    el('td', {}, '–'),
    el('td', {}, '–'),
    el('td', {}, 'resident throughout'),
  );
}

function share(bytes: number, live: number): string {
  return `${Math.round((bytes / live) * 100)} %`;
}

/** The operator of the last step of the storage's life in the order. */
function lastReader(session: Session, { tensor }: LifetimeBox): string {
  const memory = session.memory!;
  const last = tensor === -1 ? -1 : memory.lastStep[tensor];
  return last < 0 ? '–' : nameOf(session, memory.operators[last]);
}

function nameOf(session: Session, op: number | undefined): string {
  const main = session.trail[0];
  if (op === undefined || op < 0 || main === undefined) return '–';
  const name = main.graph.operators.names[op];
  return name === '' ? main.typeText(op) : `${main.typeText(op)} ${name}`;
}

function reason(box: LifetimeBox, axis: LifetimeContent['axis'], at: number, producer: number): string {
  if (axis === 'seconds') return `held from ${secondsText(box.from)} to ${secondsText(box.to)}`;
  if (box.tensor === -1) return 'while the operator runs';
  if (box.from === at && producer >= 0) return 'made at this step';
  if (box.to === at + 1) return 'read for the last time';
  return `waits ${countText(box.to - 1 - at, 'more step')} for its last reader`;
}
