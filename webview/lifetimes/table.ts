import { el, fill } from '../dom';
import type { Session } from '../session';
import { bytesText, flopsText, secondsText } from '../units';
import { outputShape } from '../scene/sizes';
import type { LinkedActions } from './view';

interface Row {
  readonly op: number;
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
const COLUMNS: readonly Column[] = [
  { title: 'Step', ...numeric((v) => (v < 0 ? '–' : String(v))) },
  { title: 'Type', ...PLAIN },
  { title: 'Name', ...PLAIN },
  { title: 'Output', ...PLAIN },
  { title: 'Output size', ...numeric(bytesText) },
  { title: 'Weights', ...numeric((v) => (v === 0 ? '–' : bytesText(v))) },
  { title: 'Compute', ...numeric(flopsText) },
  { title: 'Live at step', ...numeric(bytesText) },
  { title: 'Partition', ...PLAIN },
  { title: 'Time', ...numeric((v) => (v === 0 ? '–' : secondsText(v))) },
];
const ROWS_AT_ONCE = 250;

/** The same facts as the pictures, as a sortable table for keyboards and screen readers. */
export class TensorTable {
  readonly element = el('div', { className: 'table-page', hidden: true });
  private column = 0;
  private descending = false;
  private shown = ROWS_AT_ONCE;
  private stale = true;

  constructor(
    private readonly session: Session,
    private readonly actions: LinkedActions,
  ) {
    session.on(['document', 'plan', 'graph'], () => (this.stale = true));
    session.on(['tab', 'plan', 'graph'], () => this.render());
    this.element.addEventListener('scroll', () => {
      const { scrollTop, clientHeight, scrollHeight } = this.element;
      if (scrollTop + clientHeight < scrollHeight - 200) return;
      this.shown += ROWS_AT_ONCE;
      this.stale = true;
      this.render();
    });
  }

  private render(): void {
    if (this.session.tab !== 'table' || !this.stale || this.session.opened === null) return;
    this.stale = false;
    const rows = this.rows();
    const sign = this.descending ? -1 : 1;
    rows.sort((a, b) => sign * compare(a.values[this.column], b.values[this.column]) || a.op - b.op);
    fill(this.element, [
      el(
        'table',
        { className: 'data' },
        el('caption', { className: 'visually-hidden' }, 'Operators'),
        el('thead', {}, el('tr', {}, ...COLUMNS.map((column, i) => this.head(column, i)))),
        el('tbody', {}, ...rows.slice(0, this.shown).map((row) => this.row(row))),
      ),
    ]);
  }

  private rows(): Row[] {
    const { trail, plan, opened } = this.session;
    const model = trail[0];
    const memory = plan?.view.memory ?? opened!.memory;
    const steps = new Int32Array(model.operatorCount).fill(-1);
    memory.operators.forEach((op, step) => (steps[op] = step));
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
        ...[operators.weightBytes[op], operators.flops[op], memory.liveBytes[steps[op]] ?? NaN],
        ...[split, plan?.computeSeconds(op) ?? 0],
      ];
      return { op, values };
    });
  }

  private head(column: Column, i: number): HTMLElement {
    const on = i === this.column;
    const sign = on ? (this.descending ? ' ▾' : ' ▴') : '';
    const sort = el('button', { type: 'button' }, `${column.title}${sign}`);
    sort.addEventListener('click', () => {
      this.descending = on ? !this.descending : column.isNumber && i > 0;
      this.column = i;
      this.stale = true;
      this.render();
    });
    const order = on ? (this.descending ? 'descending' : 'ascending') : 'none';
    return el(
      'th',
      { scope: 'col', className: column.isNumber ? 'number' : '', aria: { sort: order } },
      sort,
    );
  }

  private row({ op, values }: Row): HTMLElement {
    const cells = COLUMNS.map((column, i) =>
      el(
        'td',
        { className: column.isNumber ? 'number' : '', title: column.isNumber ? '' : String(values[i]) },
        column.text(values[i]),
      ),
    );
    const row = el('tr', { tabIndex: 0 }, ...cells);
    row.addEventListener('click', () => this.actions.goToOperator(op));
    row.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.actions.goToOperator(op);
    });
    return row;
  }
}

/** Unknown sizes come last in both directions of reading. */
function compare(a: string | number, b: string | number): number {
  if (typeof a === 'string' || typeof b === 'string')
    return String(a).localeCompare(String(b), 'en', { numeric: true });
  return (Number.isNaN(a) ? -1 : a) - (Number.isNaN(b) ? -1 : b);
}
