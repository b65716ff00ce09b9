import { el } from '../dom';

/** A cell: text, or text with the alignment of a number. */
export type Cell = string | { readonly number: string; readonly marked?: boolean };

/** A compact table for hovers and panels: numbers aligned right, everything selectable. */
export function table(rows: readonly (readonly Cell[])[], head?: readonly string[]): HTMLTableElement {
  const body = rows.map((row) => el('tr', {}, ...row.map(cell)));
  const top = head && el('thead', {}, el('tr', {}, ...head.map((text) => el('th', { scope: 'col' }, text))));
  return el('table', { className: 'facts' }, top, el('tbody', {}, ...body));
}

function cell(value: Cell): HTMLTableCellElement {
  if (typeof value === 'string') return el('td', {}, value);
  return el('td', { className: value.marked ? 'number marked' : 'number' }, value.number);
}

export function section(title: string, ...content: readonly (Node | null)[]): HTMLElement {
  return el('section', { className: 'facts-section' }, el('h4', {}, title), ...content);
}

/** A dot in a device's colour with its name. */
export function swatch(color: string, text: string): HTMLElement {
  return el('span', { className: 'swatch' }, el('i', { style: { background: color } }), text);
}

/** A bar of `share` (0 to 1) in `color`. */
export function meter(share: number, color: string, label: string): HTMLElement {
  const fill = el('i', { style: { width: `${Math.min(100, share * 100)}%`, background: color } });
  const element = el('span', { className: 'meter', title: label }, fill);
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', label);
  return element;
}
