import type {
  DocumentState,
  HostToWebview,
  OperatorPin,
  PlanState,
  SavedFile,
  ViewPlan,
} from '../src/protocol/webview';
import type { Handlers } from '../src/protocol/rpc';
import { el, takeFocus } from './dom';
import { COLOR_MODES } from './graph/look';
import { GraphView } from './graph/view';
import { connect, type Host, type SavedState, type ViewState } from './host';
import { Keys, KEY_HELP } from './keys';
import { LayoutClient } from './layoutClient';
import { LifetimeView } from './lifetimes/view';
import { Navigation } from './navigation';
import { Header } from './panels/header';
import { Legend } from './panels/legend';
import { MemoryChart } from './panels/memoryChart';
import { Menu, type MenuEntry } from './panels/menu';
import { Outline } from './panels/outline';
import { Properties } from './panels/properties';
import { SearchBox } from './panels/searchBox';
import { StatePage } from './panels/states';
import { Tooltip } from './panels/tooltip';
import { PlanIndex } from './plan/planIndex';
import { rehearse } from './rehearsal';
import { turnPages } from './pages';
import { Session, TABS, type OpenedDocument } from './session';
import { FactTable } from './lifetimes/table';
import { onThemeChange, readTheme } from './theme';
import { TimelineView } from './timeline/view';
import { Toolbar } from './toolbar';
import { pinEntries } from './whatIf/pins';
import { WhatIfView } from './whatIf/view';

/** Wires the parts together: the host's messages into the session, the session into the views. */
export class App {
  private readonly session = new Session();
  private readonly host: Host;
  private readonly memory: SavedState;
  private readonly view: GraphView;
  private readonly layout: LayoutClient;
  private readonly navigation: Navigation;
  private readonly tooltip: Tooltip;
  private readonly menu = new Menu();
  private readonly outline: Outline;
  private readonly properties: Properties;
  private readonly searchBox: SearchBox;
  private readonly states: StatePage;
  private readonly workspace = el('div', { className: 'workspace', hidden: true });
  private opening = 0;

  constructor(private readonly root: HTMLElement) {
    const { host, memory } = connect(this.handlers());
    this.host = host;
    this.memory = memory;
    const { session } = this;
    this.view = new GraphView(session, {
      activate: (node) => this.activate(node),
      follow: (wire, ends) => this.navigation.follow(wire, ends),
      menu: (node, x, y) => this.openMenu(node, x, y),
      pointer: (x, y) => this.tooltip.moveTo(x, y),
    });
    this.layout = new LayoutClient();
    this.navigation = new Navigation(session, this.view, this.layout);
    this.tooltip = new Tooltip(session, (operator) => host.request('costAnalysis', { operator }));
    this.outline = new Outline(session, (node) => void this.navigation.goTo(node));
    this.properties = this.makeProperties();
    this.searchBox = new SearchBox(
      session,
      (found) => void this.navigation.goToFound(found),
      () => takeFocus(this.view.canvas),
    );
    this.states = new StatePage(() => host.notify('openAnyway', {}));
  }

  start(): void {
    this.build();
    const saved = this.memory.read();
    this.outline.element.hidden = saved.outline !== true;
    this.properties.element.hidden = saved.properties !== true;
    const mode = COLOR_MODES.find((m) => m === saved.colorMode) ?? null;
    this.session.set({ colorMode: mode, tab: TABS.find((t) => t === saved.tab) ?? 'graph' });
    this.states.show(null);
    onThemeChange(() => this.session.set({ theme: readTheme() }, 'theme'));
    const saveOn = ['scene', 'look', 'selection', 'tab', 'graph'] as const;
    this.session.on(saveOn, () => this.memory.save(() => this.viewState()));
    this.view.canvas.addEventListener('pointerup', () => this.memory.save(() => this.viewState()));
    this.view.canvas.addEventListener('wheel', () => this.memory.save(() => this.viewState()), {
      passive: true,
    });
    this.session.on(['selection'], () => {
      const { selection, model } = this.session;
      const operator =
        selection?.kind === 'node' && model?.isOperator(selection.node) ? selection.node : null;
      if (this.session.trail.length === 1) this.host.notify('selected', { operator });
    });
    window.addEventListener('keydown', (event) => this.copyHover(event));
    window.addEventListener('error', (event) => this.host.notify('scriptError', { message: event.message }));
    window.addEventListener('unhandledrejection', (event) =>
      this.host.notify('scriptError', { message: String(event.reason) }),
    );
    this.host.notify('ready', {});
    void rehearse(this.layout);
  }

  private build(): void {
    const { session, host } = this;
    const header = new Header(session, {
      optimize: () => host.notify('optimize', {}),
      cancel: () => host.notify('cancel', {}),
      verify: () => host.notify('verify', {}),
      export: () => host.notify('export', {}),
      openPlanFile: () => host.notify('openPlanFile', {}),
      goToPeak: () => this.goToPeak(),
      keepPlan: () => host.notify('keepPlan', {}),
      discardPlan: () => host.notify('discardPlan', {}),
    });
    const toolbar = new Toolbar(session, this.navigation, this.searchBox.element, {
      fit: () => this.view.fit(),
      goToPeak: () => this.goToPeak(),
      outline: () => this.toggleOutline(),
      properties: () => this.toggleProperties(),
    });
    const legend = new Legend(session, this.view.painter);
    const goToStep = (step: number): void => this.goToStep(step);
    const chart = new MemoryChart(session, goToStep);
    const actions = {
      goToOperator: (op: number) => void this.navigation.goToOperator(op),
      goToTensor: (tensor: number) => void this.navigation.goToTensor(tensor),
      pointer: (x: number, y: number) => this.tooltip.moveTo(x, y),
      replay: () => host.request('replay', {}),
      holdings: () => host.request('holdings', {}),
      menu: (entries: readonly MenuEntry[], x: number, y: number) => this.menu.open(entries, x, y),
      saveFile: (file: SavedFile) => void host.request('saveFile', file),
    };
    const graph = el(
      'div',
      { className: 'page' },
      this.outline.element,
      el('div', { className: 'graph-column' }, this.view.element, legend.element, chart.element),
    );
    const main = el('div', { className: 'main' }, graph, this.properties.element);
    this.workspace.append(header.element, toolbar.element, main);
    turnPages(session, graph, {
      timeline: () => new TimelineView(session, actions).element,
      lifetimes: () => new LifetimeView(session, actions).element,
      table: () => new FactTable(session, actions).element,
      whatIf: () => this.makeWhatIf(actions.goToOperator),
    });
    const help = el('p', { id: 'graph-keys', className: 'visually-hidden' }, KEY_HELP);
    this.root.append(this.states.element, this.workspace, this.tooltip.element, this.menu.element, help);
    this.navigation.followSelection();
    new Keys(session, this.view, this.navigation, {
      search: () => this.searchBox.focus(),
      details: () => this.properties.show(),
      escape: () => this.escape(),
      menu: (node, x, y) => this.openMenu(node, x, y),
      goToPeak: () => this.goToPeak(),
      outline: () => this.toggleOutline(),
    });
  }

  /** Ctrl+C copies what the hover says, unless some text is selected. */
  private copyHover(event: KeyboardEvent): void {
    const isCopy = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'c';
    const { text } = this.tooltip;
    if (!isCopy || text === null || window.getSelection()?.isCollapsed === false) return;
    this.host.notify('copy', { text });
    event.preventDefault();
  }

  private makeWhatIf(goToOperator: (operator: number) => void): HTMLElement {
    const { host } = this;
    return new WhatIfView(this.session, {
      whatIf: (wish) => host.request('whatIf', wish),
      sweep: (wish) => host.request('sweep', wish),
      keep: () => host.notify('keepPlan', {}),
      discard: () => host.notify('discardPlan', {}),
      cancel: () => host.notify('cancel', {}),
      goToOperator,
    }).element;
  }

  private handlers(): Handlers<HostToWebview> {
    return {
      requests: {},
      notices: {
        document: (state) => void this.document(state),
        plan: (state) => this.plan(state),
        progress: (progress) => this.session.set({ progress }, 'progress'),
        verification: (verification) => this.session.set({ verification }, 'verification'),
        reveal: ({ operator }) => void this.navigation.goToOperator(operator),
      },
    };
  }

  private async document(state: DocumentState): Promise<void> {
    const turn = ++this.opening;
    if (state.kind !== 'opened' || state.graph.operators.types.length === 0) {
      this.workspace.hidden = true;
      this.states.show(state);
      this.session.set(
        { document: state, trail: [], plan: null, savedPlan: null, planState: { kind: 'none' } },
        'document',
      );
      return;
    }
    const saved = this.memory.read();
    const model = await this.navigation.openModel(state.graph, state.fileName, openGroups(saved));
    if (turn !== this.opening) return;
    const plan = planOf(this.session.planState, state);
    this.session.set(
      { document: state, trail: [model], plan, selection: null, hover: null, step: null, device: null },
      'document',
    );
    await nextTask();
    if (turn !== this.opening) return;
    this.workspace.hidden = false;
    this.session.set({}, 'graph', 'plan', 'look', 'selection', 'tab');
    this.view.measure();
    if (saved.camera && saved.open?.length === model.open.length) this.view.setCamera(saved.camera);
    else this.view.showStart();
    if (saved.selected !== undefined && saved.selected < model.hierarchy.nodeCount) {
      this.session.select({ kind: 'node', node: saved.selected });
    }
    this.states.hide();
  }

  private plan(planState: PlanState): void {
    const plan = planOf(planState, this.session.opened);
    const isUnsaved = planState.kind === 'current' && !planState.saved;
    const savedPlan = isUnsaved
      ? this.session.savedPlan
      : planState.kind === 'current'
        ? planState.plan
        : null;
    const pins = isUnsaved ? this.session.pins : pinsOf(savedPlan);
    const cleared = { device: null, hoverDevice: null, range: null, hiddenClasses: new Set<number>() };
    this.session.set({ planState, plan, savedPlan, pins, ...cleared }, 'plan', 'look', 'pins', 'range');
  }

  private makeProperties(): Properties {
    const graphId = (): number => this.session.model!.graph.id;
    return new Properties(this.session, {
      operatorDetails: (operator) => this.host.request('operatorDetails', { operator, graph: graphId() }),
      tensorDetails: (tensor) => this.host.request('tensorDetails', { tensor, graph: graphId() }),
      openBody: (operator, body) => void this.openBody(operator, body),
      toggleGroup: (node) => void this.navigation.toggle(node),
      goToOperator: (operator) => void this.navigation.goTo(operator),
      selectTensor: (tensor) => this.session.select({ kind: 'tensor', tensor }),
      bindDimensions: (bindings) => this.host.notify('bindDimensions', { bindings }),
      costAnalysis: (operator) => this.host.request('costAnalysis', { operator }),
      pinMenu: (operator, x, y) => void this.openPinMenu(operator, x, y),
      copy: (text) => this.host.notify('copy', { text }),
      close: () => this.toggleProperties(),
    });
  }

  private async openBody(operator: number, body: string): Promise<void> {
    const { graph, title } = await this.host.request('body', {
      operator,
      body,
      graph: this.session.model!.graph.id,
    });
    this.navigation.enter(await this.navigation.openModel(graph, title, null));
  }

  private activate(node: number): void {
    const { model } = this.session;
    if (model === null) return;
    const body = model.isOperator(node) ? model.graph.operators.bodies[node]?.[0] : undefined;
    if (model.isGroup(node)) void this.navigation.toggle(node);
    else if (body !== undefined) void this.openBody(node, body);
    else this.properties.show();
  }

  private openMenu(node: number | null, x: number, y: number): void {
    const { model } = this.session;
    if (model === null) return;
    this.tooltip.hide();
    const entries: MenuEntry[] = [];
    if (node !== null && model.isGroup(node)) {
      const label = model.isOpenGroup(node) ? 'Close the group' : 'Open the group';
      entries.push({ label, keys: 'Space', chosen: () => void this.navigation.toggle(node) });
    }
    if (node !== null) {
      const parent = model.hierarchy.parent[node];
      if (parent !== -1)
        entries.push({
          label: `Close ${model.title1(parent)}`,
          chosen: () => void this.navigation.toggle(parent),
        });
      if (model.isOperator(node)) {
        for (const body of model.graph.operators.bodies[node] ?? []) {
          entries.push({ label: `Open ${body}`, chosen: () => void this.openBody(node, body) });
        }
      }
      entries.push({ label: 'Properties', keys: 'Enter', chosen: () => this.properties.show() });
      if (model.isOperator(node) && (this.session.shownPlan?.shares(node).length ?? 0) > 0)
        entries.push({ label: 'Pin …', chosen: () => void this.openPinMenu(node, x, y) });
      entries.push({ label: 'Copy', chosen: () => this.host.notify('copy', { text: model.describe(node) }) });
    }
    entries.push(
      { label: 'Go to the peak', keys: 'P', chosen: () => this.goToPeak() },
      { label: 'Fit into view', keys: 'F', chosen: () => this.view.fit() },
      { label: 'Search', keys: 'Ctrl+F', chosen: () => this.searchBox.focus() },
      { label: 'Back to where I was', keys: 'Backspace', chosen: () => this.navigation.back() },
      { label: 'Optimize', chosen: () => this.host.notify('optimize', {}) },
    );
    this.menu.open(entries, x, y);
  }

  /** Where the operator is to be kept in the next what-if. */
  private async openPinMenu(operator: number, x: number, y: number): Promise<void> {
    const { plan, trail, pins } = this.session;
    const node = trail[0]?.graph.operators.nodes[operator];
    if (plan === null || node === undefined) return;
    const analysis = await this.host.request('costAnalysis', { operator }).catch(() => null);
    const pin = (wish: OperatorPin | null): void => this.session.pin(node, wish);
    this.menu.open(pinEntries(plan.deviceNames, analysis, pins.get(node), pin), x, y);
  }

  private goToPeak(): void {
    const { memory } = this.session;
    if (memory !== null) this.goToStep(memory.peakStep);
  }

  private goToStep(step: number): void {
    const op = this.session.memory?.operators[step];
    if (op === undefined || op < 0) return;
    this.session.set({ step }, 'step');
    void this.navigation.goToOperator(op);
  }

  private toggleOutline(): void {
    this.outline.toggle();
    this.memory.save(() => this.viewState());
  }

  private toggleProperties(): void {
    if (this.properties.element.hidden) this.properties.show();
    else {
      this.properties.element.hidden = true;
      takeFocus(this.view.canvas);
    }
    this.memory.save(() => this.viewState());
  }

  private escape(): void {
    const { trail, selection, device, range } = this.session;
    this.tooltip.hide();
    if (range !== null) this.session.set({ range: null }, 'range');
    else if (selection !== null) this.session.select(null);
    else if (device !== null) this.session.set({ device: null }, 'device');
    else if (trail.length > 1) this.navigation.leaveTo(trail.length - 2);
  }

  private viewState(): ViewState {
    const { trail, colorMode, tab, selection } = this.session;
    return {
      ...(trail.length === 1 ? { open: [...trail[0].open], camera: this.view.camera } : {}),
      ...(colorMode === null ? {} : { colorMode }),
      tab,
      ...(selection?.kind === 'node' && trail.length === 1 ? { selected: selection.node } : {}),
      properties: !this.properties.element.hidden,
      outline: !this.outline.element.hidden,
    };
  }
}

function planOf(state: PlanState, opened: OpenedDocument | null): PlanIndex | null {
  return state.kind === 'current' && opened !== null ? new PlanIndex(state.plan, opened.graph) : null;
}

/** The wishes that a plan was made under. */
function pinsOf(view: ViewPlan | null): ReadonlyMap<number, OperatorPin> {
  const pins = (view?.plan.options['pins'] ?? {}) as Readonly<Record<string, OperatorPin>>;
  return new Map(Object.entries(pins).map(([node, pin]) => [Number(node), pin]));
}

/** Long work is cut into tasks between which the page can answer. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function openGroups(saved: ViewState): Uint8Array | null {
  return Array.isArray(saved.open) ? Uint8Array.from(saved.open) : null;
}
