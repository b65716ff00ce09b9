import { el, fill, takeFocus } from '../dom';

export interface MenuEntry {
  readonly label: string;
  readonly keys?: string;
  readonly chosen: () => void;
}

/** A context menu of our own (the webview has none), usable with the keyboard. */
export class Menu {
  readonly element = el('div', { className: 'menu', hidden: true });
  private back: HTMLElement | null = null;

  constructor() {
    this.element.setAttribute('role', 'menu');
    this.element.addEventListener('keydown', (event) => this.key(event));
    window.addEventListener('pointerdown', (event) => {
      if (!this.element.contains(event.target as Node)) this.close();
    });
    window.addEventListener('blur', () => this.close());
  }

  open(entries: readonly MenuEntry[], x: number, y: number): void {
    this.back = document.activeElement as HTMLElement | null;
    fill(
      this.element,
      entries.map(({ label, keys, chosen }) => {
        const item = el(
          'button',
          { type: 'button', tabIndex: -1 },
          label,
          el('span', { className: 'dim' }, keys ?? ''),
        );
        item.setAttribute('role', 'menuitem');
        // One entry is lit: the one that Enter takes.
        item.addEventListener('pointermove', () => item.focus());
        item.addEventListener('click', () => {
          this.close();
          chosen();
        });
        return item;
      }),
    );
    this.element.hidden = false;
    const { offsetWidth, offsetHeight } = this.element;
    this.element.style.left = `${Math.max(4, Math.min(x, window.innerWidth - offsetWidth - 4))}px`;
    this.element.style.top = `${Math.max(4, Math.min(y, window.innerHeight - offsetHeight - 4))}px`;
    takeFocus(this.element.firstElementChild);
  }

  close(): void {
    if (this.element.hidden) return;
    this.element.hidden = true;
    takeFocus(this.back);
  }

  private key(event: KeyboardEvent): void {
    const items = [...this.element.querySelectorAll<HTMLElement>('[role=menuitem]')];
    const at = items.indexOf(document.activeElement as HTMLElement);
    if (event.key === 'ArrowDown') takeFocus(items[(at + 1) % items.length]);
    else if (event.key === 'ArrowUp') takeFocus(items[(at - 1 + items.length) % items.length]);
    else if (event.key === 'Escape' || event.key === 'Tab') this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
