import type { CostAnalysis } from '../../src/protocol/webview';
import { el } from '../dom';
import type { GraphModel } from '../graphModel';
import { DIMENSION_LABELS } from '../plan/dimensions';
import type { PlanIndex } from '../plan/planIndex';
import { memoryAt } from '../plan/memory';
import { shapeOf } from '../scene/sizes';
import type { Session } from '../session';
import { bytesText, countText, flopsText, groupedText, secondsText } from '../units';
import { section, swatch, table, type Cell } from './table';

/** What a hover and the properties panel say of an operator, a tensor and a group. */

export function operatorFacts(session: Session, model: GraphModel, op: number): Node[] {
  const { opened, shownPlan } = session;
  const { operators, tensors } = model.graph;
  const weights = model.inputsOf(op).filter((tensor) => model.isWeight(tensor));
  const activations = model.inputsOf(op).filter((tensor) => !model.isWeight(tensor));
  const tensorRow =
    (label: string) =>
    (tensor: number): Cell[] => [
      label,
      tensors.names[tensor],
      shapeOf(model.graph, tensor),
      { number: bytesText(tensors.bytes[tensor]) },
    ];
  const copies = shownPlan?.copiesOfWeights(op) ?? 1;
  const weightRows: Cell[][] =
    weights.length === 0
      ? []
      : [
          [
            'weights',
            countText(weights.length, 'tensor'),
            copies > 1 ? `on ${copies} devices each` : '',
            { number: bytesText(operators.weightBytes[op]) },
          ],
        ];
  const io = table([
    ...Array.from(activations, tensorRow('in')),
    ...weightRows,
    ...Array.from(model.outputsOf(op), tensorRow('out')),
  ]);
  const rows: Cell[][] = [['compute', { number: flopsText(operators.flops[op]) }]];
  const memory = shownPlan?.view.memory ?? (session.trail.length === 1 ? opened?.memory : undefined);
  const step = memory === undefined ? -1 : memory.operators.indexOf(op);
  if (memory !== undefined && step >= 0) {
    const live = memory.liveBytes[step];
    const part = Math.round((live / memory.peakBytes) * 100);
    rows.push(['step', { number: `${step} of ${memory.operators.length}` }]);
    rows.push(['live at its step', { number: `${bytesText(live, memory.known)} (${part} % of the peak)` }]);
  }
  const out: Node[] = [io, table(rows)];
  if (shownPlan !== null) out.push(...partitionFacts(session, shownPlan, op));
  return out;
}

function partitionFacts(session: Session, plan: PlanIndex, op: number): Node[] {
  const found = plan.operator(op);
  const shares = plan.shares(op);
  if (found === undefined || shares.length === 0) return [];
  const { dimension, axis, reduceOn } = found.partition;
  const events = plan.events(op);
  const rows = shares.map((share): readonly [number, Cell[]] => {
    const name = plan.deviceNames[share.device];
    const mine = events.find((event) => event.kind === 'compute' && event.device === name);
    const received = events.reduce(
      (sum, event) => sum + (event.kind === 'transfer' && event.to === name ? event.bytes : 0),
      0,
    );
    const held = mine === undefined ? NaN : memoryAt(plan.view.deviceMemory[share.device], mine.start);
    const limit = plan.plan.devices[share.device]?.limitBytes ?? NaN;
    return [
      share.device,
      [
        { number: dimension === 'none' ? 'all' : `${share.start}–${share.end}` },
        { number: `${Math.round(share.fraction * 100)} %` },
        { number: mine === undefined ? '–' : secondsText(mine.end - mine.start) },
        { number: received === 0 ? '–' : bytesText(received) },
        { number: `${bytesText(held)} of ${bytesText(limit)}` },
      ],
    ];
  });
  const title =
    dimension === 'none' ? 'Runs whole' : `Split by ${DIMENSION_LABELS[dimension]} (axis ${axis})`;
  const body = table(
    rows.map(([, cells]) => ['', ...cells]),
    ['device', 'range', 'share', 'time', 'receives', 'memory'],
  );
  rows.forEach(([device], i) =>
    body.tBodies[0].rows[i].cells[0].append(swatch(session.theme.series[device], plan.deviceNames[device])),
  );
  return [section(reduceOn === undefined ? title : `${title}, added on ${reduceOn}`, body)];
}

/** Of the analysis `all` alternatives, or of each dimension the `quickest`, which is what a hover has room for. */
export function costFacts(analysis: CostAnalysis, shown: 'all' | 'quickest'): HTMLElement {
  const quickest = new Map<string, number>();
  analysis.alternatives.forEach(({ dimension, seconds }, i) => {
    const best = quickest.get(dimension);
    if (best === undefined || seconds < analysis.alternatives[best].seconds) quickest.set(dimension, i);
  });
  const rows = analysis.alternatives.flatMap((alternative, i): Cell[][] => {
    if (shown === 'quickest' && i !== analysis.cheapest && quickest.get(alternative.dimension) !== i)
      return [];
    const most = Math.max(
      ...alternative.devices.map((d) => d.weightBytes + d.inputBytes + d.haloBytes + d.outputBytes),
    );
    const marked = i === analysis.cheapest;
    const cells: Cell[] = [
      `${marked ? '★ ' : ''}${alternative.dimension === 'none' ? 'whole' : `${alternative.dimension} ×${alternative.shares}`}`,
      { number: secondsText(alternative.computeSeconds + alternative.transferSeconds), marked },
      { number: secondsText(alternative.computeSeconds) },
      { number: bytesText(alternative.trafficBytes) },
      { number: bytesText(most) },
    ];
    return [cells];
  });
  return section(
    `Alternatives on ${analysis.cluster}`,
    table(rows, ['partition', 'time', 'compute', 'traffic', 'memory per device']),
    el('p', { className: 'note' }, '★ cheapest that fits; estimated'),
  );
}

export function tensorFacts(session: Session, model: GraphModel, tensor: number): Node[] {
  const { tensors } = model.graph;
  const plan = session.shownPlan;
  const type = tensors.typeNames[tensors.types[tensor]];
  const rows: Cell[][] = [
    ['type', `${type} ${shapeOf(model.graph, tensor)}`],
    ['size', { number: bytesText(tensors.bytes[tensor]) }],
  ];
  const producer = tensors.producers[tensor];
  if (producer >= 0) rows.push(['made by', model.describe(producer)]);
  const consumers = model.consumersOf(tensor);
  if (consumers.length > 0) {
    const first = model.describe(consumers[0]);
    rows.push(['read by', consumers.length === 1 ? first : `${first} and ${consumers.length - 1} more`]);
  }
  const memory = plan?.view.memory ?? (session.trail.length === 1 ? session.opened?.memory : undefined);
  if (memory !== undefined && memory.firstStep[tensor] >= 0) {
    const [from, to] = [memory.firstStep[tensor], memory.lastStep[tensor]];
    rows.push(['lives', `step ${from} to ${to} (${countText(to - from + 1, 'step')})`]);
  }
  const out: Node[] = [table(rows)];
  if (plan !== null) out.push(...placeFacts(session, model, plan, tensor));
  return out;
}

function placeFacts(session: Session, model: GraphModel, plan: PlanIndex, tensor: number): Node[] {
  const name = model.graph.tensors.names[tensor];
  const producer = model.graph.tensors.producers[tensor];
  const makers =
    producer < 0 ? [plan.deviceIndex(plan.plan.cluster.source)] : plan.shares(producer).map((s) => s.device);
  const where = el('p', { className: 'places' }, 'made on ');
  for (const device of makers)
    where.append(swatch(session.theme.series[device], plan.deviceNames[device]), ' ');
  const transfers = plan.transfers(name);
  if (transfers.length === 0) return [where];
  const rows = transfers
    .slice(0, MOST_MESSAGES)
    .map((t): Cell[] => [
      `${t.from} → ${t.to}`,
      { number: bytesText(t.bytes) },
      { number: `${secondsText(t.start)} – ${secondsText(t.end)}` },
    ]);
  const more = transfers.length - MOST_MESSAGES;
  return [
    where,
    section(
      countText(transfers.length, 'message'),
      table(rows),
      more > 0 ? el('p', { className: 'note' }, `and ${more} more`) : null,
    ),
  ];
}

const MOST_MESSAGES = 8;

export function groupFacts(
  model: GraphModel,
  node: number,
  types: readonly (readonly [string, number])[],
): Node[] {
  const g = model.groupIndex(node);
  const inside = model.hierarchy.operatorsInside[g];
  if (inside === 0) return [];
  const rows: Cell[][] = [['operators', { number: groupedText(inside) }]];
  for (const [type, count] of types.slice(0, 8)) rows.push([type, { number: `×${count}` }]);
  return [table(rows)];
}
