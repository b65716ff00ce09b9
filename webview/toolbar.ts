import { button, dropdown } from './controls';
import { el, fill, takeFocus } from './dom';
import { COLOR_MODES, COLOR_MODE_LABELS, type ColorMode } from './graph/look';
import type { IconName } from './icons';
import type { Navigation } from './navigation';
import { TABS, type Session, type Tab } from './session';

const TAB_LABELS: Readonly<Record<Tab, string>> = {
  graph: 'Graph',
  timeline: 'Timeline',
  lifetimes: 'Memory',
  whatIf: 'What if',
  table: 'Table',
};

export interface ToolbarActions {
  fit(): void;
  goToPeak(): void;
  outline(): void;
  properties(): void;
}

/** Views, colours, the trail of bodies, and what the keys do too. */
export class Toolbar {
  readonly element = el('div', { className: 'toolbar' });
  private readonly tabs = el('div', { className: 'tabs' });
  private readonly trail = el('nav', { className: 'trail', aria: { label: 'Opened from' } });
  private readonly tools = el('div', { className: 'tools' });
  /** Made with the first plan: without one there is nothing to choose. */
  private colors: ReturnType<typeof dropdown> | null = null;

  constructor(
    private readonly session: Session,
    private readonly navigation: Navigation,
    search: HTMLElement,
    actions: ToolbarActions,
  ) {
    this.tabs.setAttribute('role', 'tablist');
    const sign = (icon: IconName, label: string, pressed: () => void): HTMLElement =>
      button({ label, icon, look: 'icon', pressed });
    this.tools.append(
      sign('list', 'List of operators (O)', actions.outline),
      sign('closeAll', 'Close all groups', () => void navigation.setAll(0)),
      sign('openAll', 'Open all groups', () => void navigation.setAll(1)),
      sign('fit', 'Fit into view (F)', actions.fit),
      sign('peak', 'Go to the peak (P)', actions.goToPeak),
      sign('details', 'Properties (Enter)', actions.properties),
    );
    this.element.append(this.tabs, search, this.tools, this.trail);
    session.on(['graph', 'plan', 'tab', 'look'], () => this.render());
  }

  private render(): void {
    const { session } = this;
    const shown = TABS.filter((tab) => (tab !== 'timeline' && tab !== 'whatIf') || session.plan !== null);
    fill(
      this.tabs,
      shown.map((tab) => {
        const selected = session.tab === tab;
        const element = el(
          'button',
          { type: 'button', tabIndex: selected ? 0 : -1, aria: { selected: String(selected) } },
          TAB_LABELS[tab],
        );
        element.setAttribute('role', 'tab');
        element.addEventListener('click', () => session.set({ tab }, 'tab'));
        element.addEventListener('keydown', (event) => this.tabKey(event, shown, tab));
        return element;
      }),
    );
    this.renderColors();
    this.tools.hidden = session.tab !== 'graph';
    this.renderTrail();
  }

  private renderColors(): void {
    const { session } = this;
    const wanted = session.shownPlan !== null && session.tab === 'graph';
    if (this.colors !== null) this.colors.hidden = !wanted;
    if (!wanted) return;
    this.colors ??= this.makeColors();
    if (this.colors.value !== session.shownColorMode) this.colors.value = session.shownColorMode;
  }

  private makeColors(): ReturnType<typeof dropdown> {
    const colors = dropdown(
      'Colour operators by',
      COLOR_MODES.map((mode) => ({ value: mode, text: COLOR_MODE_LABELS[mode] })),
      (mode) => this.session.set({ colorMode: mode as ColorMode, hiddenClasses: new Set() }, 'look'),
    );
    this.tools.before(colors);
    return colors;
  }

  private tabKey(event: KeyboardEvent, shown: readonly Tab[], tab: Tab): void {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    const next = shown[(shown.indexOf(tab) + by + shown.length) % shown.length];
    this.session.set({ tab: next }, 'tab');
    takeFocus(this.tabs.querySelector('[aria-selected=true]'));
  }

  private renderTrail(): void {
    const { trail } = this.session;
    this.trail.hidden = trail.length < 2;
    fill(
      this.trail,
      trail.flatMap((model, depth): (HTMLElement | string)[] => {
        const last = depth === trail.length - 1;
        if (last) return [el('b', { aria: { current: 'page' } }, model.title)];
        const link = el('button', { type: 'button', className: 'link' }, model.title);
        link.addEventListener('click', () => this.navigation.leaveTo(depth));
        return [link, ' › '];
      }),
    );
  }
}
