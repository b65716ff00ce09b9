import { el, fill } from '../dom';
import type { Session } from '../session';
import { bytesText, flopsText, secondsText } from '../units';
import { outputShape } from '../scene/sizes';
import { tensorRows } from './rows';
import type { LinkedActions } from './view';

interface Row {
  /** Operator or tensor. */
  readonly id: number;
  readonly values: readonly (string | number)[];
}

interface Column {
  readonly title: string;
  readonly text: (value: string | number) => string;
  readonly isNumber: boolean;
}

const PLAIN: Pick<Column, 'text' | 'isNumber'> = { text: String, isNumber: false };
const numeric = (text: (value: number) => string): Pick<Column, 'text' | 'isNumber'> => ({
  text: (value) => (Number.isNaN(value) ? '?' : text(value as number)),
  isNumber: true,
});
/** Steps; weights have none and come last. */
const place = numeric((v) => (v < 0 || v === Infinity ? '–' : String(v)));

const SUBJECTS = ['operators', 'tensors'] as const;
type Subject = (typeof SUBJECTS)[number];
const COLUMNS: Readonly<Record<Subject, readonly Column[]>> = {
  operators: [
    { title: 'Step', ...place },
    { title: 'Type', ...PLAIN },
    { title: 'Name', ...PLAIN },
    { title: 'Output', ...PLAIN },
    { title: 'Output size', ...numeric(bytesText) },
    { title: 'Weights', ...numeric((v) => (v === 0 ? '–' : bytesText(v))) },
    { title: 'Compute', ...numeric(flopsText) },
    { title: 'Live at step', ...numeric(bytesText) },
    { title: 'Partition', ...PLAIN },
    { title: 'Time', ...numeric((v) => (v === 0 ? '–' : secondsText(v))) },
  ],
  tensors: [
    { title: 'First step', ...place },
    { title: 'Last step', ...place },
    { title: 'Name', ...PLAIN },
    { title: 'Kind', ...PLAIN },
    { title: 'Type', ...PLAIN },
    { title: 'Shape', ...PLAIN },
    { title: 'Size', ...numeric(bytesText) },
    { title: 'Address', ...numeric((v) => (v < 0 ? '–' : v.toLocaleString('en-US'))) },
    { title: 'Made by', ...PLAIN },
    { title: 'Last read by', ...PLAIN },
    { title: 'Devices', ...PLAIN },
  ],
};
const LABELS: Readonly<Record<Subject, string>> = { operators: 'Operators', tensors: 'Tensors' };
const ROWS_AT_ONCE = 250;

/** The same facts as the pictures, as sortable tables for keyboards and screen readers. */
export class FactTable {
  readonly element = el('div', { className: 'table-page', hidden: true });
  private subject: Subject = 'operators';
  private column = 0;
  private isDescending = false;
  private shown = ROWS_AT_ONCE;
  private isStale = true;

  constructor(
    private readonly session: Session,
    private readonly actions: LinkedActions,
  ) {
    session.on(['document', 'plan', 'graph'], () => (this.isStale = true));
    session.on(['tab', 'plan', 'graph'], () => this.render());
    this.element.addEventListener('scroll', () => {
      const { scrollTop, clientHeight, scrollHeight } = this.element;
      if (scrollTop + clientHeight < scrollHeight - 200) return;
      this.shown += ROWS_AT_ONCE;
      this.again();
    });
  }

  private again(): void {
    this.isStale = true;
    this.render();
  }

  private render(): void {
    if (this.session.tab !== 'table' || !this.isStale || this.session.opened === null) return;
    this.isStale = false;
    const rows = this.subject === 'operators' ? this.operators() : this.tensors();
    const sign = this.isDescending ? -1 : 1;
    rows.sort((a, b) => sign * compare(a.values[this.column], b.values[this.column]) || a.id - b.id);
    const columns = COLUMNS[this.subject];
    fill(this.element, [
      el('div', { className: 'table-subjects' }, ...SUBJECTS.map((subject) => this.choice(subject))),
      el(
        'table',
        { className: 'data' },
        el('caption', { className: 'visually-hidden' }, LABELS[this.subject]),
        el('thead', {}, el('tr', {}, ...columns.map((column, i) => this.head(column, i)))),
        el('tbody', {}, ...rows.slice(0, this.shown).map((row) => this.row(row, columns))),
      ),
    ]);
  }

  private choice(subject: Subject): HTMLElement {
    const element = el(
      'button',
      { type: 'button', aria: { pressed: String(subject === this.subject) } },
      LABELS[subject],
    );
    element.addEventListener('click', () => {
      Object.assign(this, { subject, column: 0, isDescending: false, shown: ROWS_AT_ONCE });
      this.again();
    });
    return element;
  }

  private operators(): Row[] {
    const { trail, plan, memory, orderSteps } = this.session;
    const model = trail[0];
    const steps = orderSteps!;
    const { operators, tensors } = model.graph;
    return Array.from({ length: model.operatorCount }, (_, op) => {
      const bytes = model.outputsOf(op).reduce((sum, tensor) => sum + tensors.bytes[tensor], 0);
      const partition = plan?.operator(op)?.partition;
      const shares = plan?.shares(op).length ?? 0;
      const split =
        partition === undefined
          ? ''
          : partition.dimension === 'none'
            ? 'whole'
            : `${partition.dimension} ×${shares}`;
      const values = [
        ...[steps[op], model.typeText(op), operators.names[op], outputShape(model.graph, op), bytes],
        ...[operators.weightBytes[op], operators.flops[op], memory!.liveBytes[steps[op]] ?? NaN],
        ...[split, plan?.computeSeconds(op) ?? 0],
      ];
      return { id: op, values };
    });
  }

  private tensors(): Row[] {
    const { trail, plan, memory } = this.session;
    const model = trail[0];
    const name = (op: number): string =>
      op < 0 ? '–' : model.graph.operators.names[op] || model.typeText(op);
    return tensorRows(model.graph, memory!, plan).map((row) => ({
      id: row.tensor,
      values: [
        ...[
          stepOrLast(row.firstStep),
          stepOrLast(row.lastStep),
          row.name,
          row.kind,
          row.type,
          row.shape,
          row.bytes,
          row.offset,
        ],
        ...[name(row.producer), name(row.lastReader), row.devices.join(', ') || '–'],
      ],
    }));
  }

  private head(column: Column, i: number): HTMLElement {
    const isOn = i === this.column;
    const sign = isOn ? (this.isDescending ? ' ▾' : ' ▴') : '';
    const sort = el('button', { type: 'button' }, `${column.title}${sign}`);
    sort.addEventListener('click', () => {
      this.isDescending = isOn ? !this.isDescending : column.isNumber && i > 0;
      this.column = i;
      this.again();
    });
    const order = isOn ? (this.isDescending ? 'descending' : 'ascending') : 'none';
    return el(
      'th',
      { scope: 'col', className: column.isNumber ? 'number' : '', aria: { sort: order } },
      sort,
    );
  }

  private row({ id, values }: Row, columns: readonly Column[]): HTMLElement {
    const cells = columns.map((column, i) =>
      el(
        'td',
        { className: column.isNumber ? 'number' : '', title: column.isNumber ? '' : String(values[i]) },
        column.text(values[i]),
      ),
    );
    const row = el('tr', { tabIndex: 0 }, ...cells);
    const go = (): void =>
      this.subject === 'operators' ? this.actions.goToOperator(id) : this.actions.goToTensor(id);
    row.addEventListener('click', go);
    row.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') go();
    });
    return row;
  }
}

function stepOrLast(step: number): number {
  return step < 0 ? Infinity : step;
}

/** Unknown sizes come last in both directions of reading. */
function compare(a: string | number, b: string | number): number {
  if (typeof a === 'string' || typeof b === 'string')
    return String(a).localeCompare(String(b), 'en', { numeric: true });
  if (a === b) return 0;
  return (Number.isNaN(a) ? -1 : a) - (Number.isNaN(b) ? -1 : b);
}
