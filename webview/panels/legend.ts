import { el, fill } from '../dom';
import type { Session } from '../session';
import { groupedText } from '../units';
import type { FramePainter } from '../graph/frame';

/** What the colours mean; a click on an entry switches its operators off and on. */
export class Legend {
  readonly element = el('div', { className: 'legend' });

  constructor(
    private readonly session: Session,
    private readonly painter: FramePainter,
  ) {
    this.element.setAttribute('role', 'group');
    this.element.setAttribute('aria-label', 'Legend: press an entry to hide its operators');
    session.on(['graph', 'plan', 'theme', 'look'], () => this.render());
  }

  private render(): void {
    const { model, hiddenClasses } = this.session;
    if (model === null) return;
    const look = this.painter.currentLook(model);
    const entries = look.labels.flatMap((label, c) => {
      if (look.counts[c] === 0) return [];
      const hidden = hiddenClasses.has(c);
      const entry = el(
        'button',
        { type: 'button', className: 'legend-entry', aria: { pressed: String(!hidden) } },
        el('i', { style: { background: look.colors[c] } }),
        `${label} `,
        el('span', { className: 'dim' }, groupedText(look.counts[c])),
      );
      entry.addEventListener('click', () => {
        const next = new Set(hiddenClasses);
        if (hidden) next.delete(c);
        else next.add(c);
        this.session.set({ hiddenClasses: next }, 'look');
      });
      return [entry];
    });
    fill(this.element, entries);
  }
}
