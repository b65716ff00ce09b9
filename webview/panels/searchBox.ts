import { button, textField } from '../controls';
import { el, takeFocus } from '../dom';
import { SearchIndex, type Found } from '../search';
import type { Session } from '../session';
import { groupedText } from '../units';

/** Search over types, names and tensors: count as one types, Enter and Shift+Enter go on and back. */
export class SearchBox {
  readonly element: HTMLElement;
  private readonly field = textField('Search operators and tensors', 'Search');
  private readonly count = el('span', { className: 'search-count', aria: { live: 'polite' } });
  private index: SearchIndex | null = null;
  private found: readonly Found[] = [];
  private at = -1;

  constructor(
    private readonly session: Session,
    private readonly goTo: (found: Found) => void,
    private readonly leave: () => void,
  ) {
    this.element = el(
      'div',
      { className: 'search' },
      this.field,
      button({
        label: 'Previous match (Shift+Enter)',
        icon: 'previous',
        look: 'icon',
        pressed: () => this.move(-1),
      }),
      button({ label: 'Next match (Enter)', icon: 'next', look: 'icon', pressed: () => this.move(1) }),
    );
    this.count.slot = 'end';
    this.field.append(this.count);
    this.element.setAttribute('role', 'search');
    this.field.addEventListener('input', () => this.search());
    this.field.addEventListener('keydown', (event) => this.key(event));
    session.on(['graph'], () => {
      this.index = null;
      this.search();
    });
  }

  focus(): void {
    takeFocus(this.field);
  }

  private search(): void {
    const { model } = this.session;
    const query = this.field.value;
    if (model === null || query.trim() === '') this.found = [];
    else {
      this.index ??= new SearchIndex(model.graph);
      this.found = this.index.find(query);
    }
    this.at = -1;
    this.say(
      query.trim() === '' ? '' : this.found.length === 0 ? 'none' : `${groupedText(this.found.length)} found`,
    );
  }

  private key(event: KeyboardEvent): void {
    if (event.key === 'Enter') this.move(event.shiftKey ? -1 : 1);
    else if (event.key === 'Escape') this.leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private move(by: number): void {
    const { length } = this.found;
    if (length === 0) return;
    this.at = this.at === -1 ? (by > 0 ? 0 : length - 1) : (this.at + by + length) % length;
    this.say(`${groupedText(this.at + 1)} of ${groupedText(length)}`);
    this.goTo(this.found[this.at]);
  }

  private say(text: string): void {
    this.count.textContent = text;
  }
}
