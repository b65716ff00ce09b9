import { el, fill, takeFocus } from '../dom';
import type { Session } from '../session';

/** Rows beyond this wait for "more": a list of 20,000 entries helps nobody and costs seconds. */
const ROWS_AT_ONCE = 200;

/** The graph as a tree beside the picture, for keyboards and screen readers, and to find one's way. */
export class Outline {
  readonly element = el('nav', { className: 'outline', aria: { label: 'Operators and groups' } });
  private readonly tree = el('ul', {});
  private readonly openInList = new Set<number>();
  private shown = ROWS_AT_ONCE;

  constructor(
    private readonly session: Session,
    private readonly choose: (node: number) => void,
  ) {
    this.tree.setAttribute('role', 'tree');
    this.element.append(this.tree);
    this.element.hidden = true;
    this.tree.addEventListener('keydown', (event) => this.key(event));
    this.tree.addEventListener('click', (event) => this.click(event));
    session.on(['graph'], () => {
      this.openInList.clear();
      this.shown = ROWS_AT_ONCE;
      this.render();
    });
    session.on(['selection'], () => this.mark());
  }

  toggle(): void {
    this.element.hidden = !this.element.hidden;
    this.render();
    if (!this.element.hidden) takeFocus(this.tree.querySelector('[role=treeitem]'));
  }

  private render(): void {
    const { model } = this.session;
    if (model === null || this.element.hidden) return;
    const { hierarchy } = model;
    const rows: HTMLElement[] = [];
    const add = (group: number, level: number): void => {
      for (let i = hierarchy.firstChild[group]; i < hierarchy.firstChild[group + 1]; i++) {
        if (rows.length >= this.shown) return;
        const node = hierarchy.children[i];
        rows.push(this.row(node, level));
        if (this.openInList.has(node)) add(model.groupIndex(node), level + 1);
      }
    };
    add(hierarchy.nodeCount - hierarchy.leafCount, 1);
    if (rows.length >= this.shown) rows.push(this.more());
    fill(this.tree, rows);
    this.mark();
  }

  private row(node: number, level: number): HTMLElement {
    const model = this.session.model!;
    const isGroup = model.isGroup(node);
    const sign = isGroup ? (this.openInList.has(node) ? '▾ ' : '▸ ') : '';
    const row = el(
      'li',
      {
        tabIndex: -1,
        data: { node: String(node) },
        style: { '--level': String(level) },
        aria: { level: String(level) },
      },
      el('span', { className: 'dim', aria: { hidden: 'true' } }, sign),
      model.describe(node),
    );
    row.setAttribute('role', 'treeitem');
    if (isGroup) row.setAttribute('aria-expanded', String(this.openInList.has(node)));
    return row;
  }

  private more(): HTMLElement {
    const row = el('li', { tabIndex: -1, data: { more: 'true' } }, 'Show more …');
    row.setAttribute('role', 'treeitem');
    return row;
  }

  private mark(): void {
    const { selection } = this.session;
    let first: HTMLElement | null = null;
    for (const row of this.tree.querySelectorAll<HTMLElement>('[role=treeitem]')) {
      first ??= row;
      const on = selection?.kind === 'node' && row.dataset['node'] === String(selection.node);
      row.setAttribute('aria-selected', String(on));
      row.tabIndex = on ? 0 : -1;
      if (on) first = row;
    }
    if (first !== null) first.tabIndex = 0;
  }

  private click(event: Event): void {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[role=treeitem]');
    if (row !== null) this.activate(row, true);
  }

  private activate(row: HTMLElement, toggle: boolean): void {
    if (row.dataset['more'] !== undefined) {
      this.shown += ROWS_AT_ONCE;
      this.render();
      return;
    }
    const node = Number(row.dataset['node']);
    if (toggle && this.session.model!.isGroup(node)) this.unfold(node, !this.openInList.has(node));
    this.choose(node);
  }

  private unfold(node: number, open: boolean): void {
    if (open) this.openInList.add(node);
    else this.openInList.delete(node);
    this.render();
    takeFocus(this.tree.querySelector(`[data-node="${node}"]`));
  }

  private key(event: KeyboardEvent): void {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[role=treeitem]');
    if (row === null) return;
    const node = Number(row.dataset['node']);
    const { model } = this.session;
    if (event.key === 'ArrowDown') takeFocus(row.nextElementSibling);
    else if (event.key === 'ArrowUp') takeFocus(row.previousElementSibling);
    else if (event.key === 'ArrowRight' && model?.isGroup(node)) this.unfold(node, true);
    else if (event.key === 'ArrowLeft' && model?.isGroup(node)) this.unfold(node, false);
    else if (event.key === 'Enter' || event.key === ' ') this.activate(row, event.key === ' ');
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
