import type { ViewGraph } from '../src/protocol/webview';
import type { GraphView } from './graph/view';
import { GraphModel } from './graphModel';
import type { Arranged, LayoutClient } from './layoutClient';
import type { Scene } from './scene/scene';
import type { Found } from './search';
import type { Session, Target } from './session';

interface Place {
  readonly camera: { readonly k: number; readonly x: number; readonly y: number };
  readonly selection: Target | null;
}

const MOST_PLACES = 50;

/** Moving about: groups opened and closed in place, bodies with a trail back, going to what is meant. */
export class Navigation {
  private readonly cameras = new Map<GraphModel, Place['camera']>();
  private readonly places: Place[] = [];
  private followed: { readonly scene: Scene | undefined; readonly wire: number; readonly turn: number } = {
    ...{ scene: undefined, wire: -1, turn: 0 },
  };
  private arranging: Promise<void> = Promise.resolve();
  /** What was asked for last, while it is being laid out. */
  private wanted: { readonly model: GraphModel; readonly open: Uint8Array } | null = null;

  constructor(
    private readonly session: Session,
    private readonly view: GraphView,
    private readonly layout: LayoutClient,
  ) {}

  async openModel(graph: ViewGraph, title: string, open: Uint8Array | null): Promise<GraphModel> {
    return new GraphModel(graph, title, await this.layout.open(graph, open));
  }

  /** Opens or closes a group; its corner stays where it is. */
  toggle(node: number): Promise<void> {
    const { model } = this.session;
    if (model === null || !model.isGroup(node)) return Promise.resolve();
    const open = (this.wanted?.model === model ? this.wanted.open : model.open).slice();
    open[model.groupIndex(node)] ^= 1;
    return this.arrange(model, open, (show) => this.view.holding(node, show));
  }

  setAll(open: 0 | 1): Promise<void> {
    const { model } = this.session;
    if (model === null) return Promise.resolve();
    let placed = false;
    const show = (change: () => void): void => {
      change();
      if (!placed) this.view.showStart();
      placed = true;
    };
    return this.arrange(model, new Uint8Array(model.open.length).fill(open), show, true);
  }

  async goTo(node: number): Promise<void> {
    const { model } = this.session;
    if (model === null) return;
    this.remember();
    const open = model.openedAround(node);
    if (open !== null) await this.arrange(model, open, (show) => show());
    this.session.select({ kind: 'node', node });
    this.view.reveal(node);
  }

  async goToFound(found: Found): Promise<void> {
    const { model } = this.session;
    if (model === null) return;
    if (found.kind === 'operator') return this.goTo(found.id);
    const producer = model.graph.tensors.producers[found.id];
    const reader =
      model.consumersOf(found.id)[0] ?? model.graph.operators.inputs.findIndex((t) => t === found.id);
    const input = model.graph.inputs.indexOf(found.id);
    const node = producer >= 0 ? producer : input >= 0 ? model.operatorCount + input : reader;
    if (node === undefined || node < 0) return;
    await this.goTo(model.isWeight(found.id) ? this.readerOf(model, found.id) : node);
    this.session.select({ kind: 'tensor', tensor: found.id });
  }

  goToOperator(op: number): Promise<void> {
    if (this.session.trail.length > 1) this.leaveTo(0);
    if (this.session.tab !== 'graph') this.session.set({ tab: 'graph' }, 'tab');
    return this.goTo(op);
  }

  /** To the tensor in the graph, from whichever view. */
  goToTensor(tensor: number): Promise<void> {
    if (this.session.trail.length > 1) this.leaveTo(0);
    if (this.session.tab !== 'graph') this.session.set({ tab: 'graph' }, 'tab');
    return this.goToFound({ kind: 'tensor', id: tensor });
  }

  /** What was selected or brushed in another view comes into sight when the graph is shown again. */
  followSelection(): void {
    let { tab, selection: left, range: leftRange } = this.session;
    this.session.on(['tab'], () => {
      const { selection, range, memory, trail, tab: now } = this.session;
      if (tab === 'graph' && now !== 'graph') [left, leftRange] = [selection, range];
      const isBack = tab !== 'graph' && now === 'graph' && trail.length === 1;
      tab = now;
      if (!isBack) return;
      if (range !== null && range !== leftRange) this.view.reveal(memory!.operators[range.from]);
      if (selection === null || selection === left) return;
      if (selection.kind === 'node') void this.goTo(selection.node);
      if (selection.kind === 'tensor') void this.goToFound({ kind: 'tensor', id: selection.tensor });
    });
  }

  /** To the other end of an edge that is not drawn; of several ends, to the next with every call. */
  follow(wire: number, ends: readonly number[]): void {
    const scene = this.session.model?.scene;
    const again = this.followed.scene === scene && this.followed.wire === wire;
    const turn = again ? (this.followed.turn + 1) % ends.length : 0;
    this.followed = { scene, wire, turn };
    this.remember();
    this.session.select({ kind: 'wire', wire });
    this.view.reveal(ends[turn]);
  }

  /** Back to where one was before the last jump. */
  back(): void {
    const place = this.places.pop();
    if (place === undefined) return;
    this.view.setCamera(place.camera);
    this.session.select(place.selection);
  }

  enter(model: GraphModel): void {
    const from = this.session.model;
    if (from !== null) this.cameras.set(from, this.view.camera);
    this.places.length = 0;
    this.session.set(
      { trail: [...this.session.trail, model], selection: null, hover: null },
      'graph',
      'selection',
    );
    this.view.showStart();
  }

  leaveTo(depth: number): void {
    const { trail } = this.session;
    if (depth >= trail.length - 1) return;
    for (const model of trail.slice(depth + 1)) this.layout.close(model.key);
    this.places.length = 0;
    this.session.set(
      { trail: trail.slice(0, depth + 1), selection: null, hover: null },
      'graph',
      'selection',
    );
    const camera = this.cameras.get(trail[depth]);
    if (camera) this.view.setCamera(camera);
    else this.view.showStart();
  }

  private remember(): void {
    this.places.push({ camera: this.view.camera, selection: this.session.selection });
    if (this.places.length > MOST_PLACES) this.places.shift();
  }

  private readerOf(model: GraphModel, tensor: number): number {
    for (let op = 0; op < model.operatorCount; op++) if (model.inputsOf(op).includes(tensor)) return op;
    return 0;
  }

  /** One at a time, in the order they were asked for. */
  private arrange(
    model: GraphModel,
    open: Uint8Array,
    show: (change: () => void) => void,
    fromTop = false,
  ): Promise<void> {
    const wanted = { model, open };
    this.wanted = wanted;
    const take = (arranged: Arranged): void => {
      if (this.session.model !== model) return;
      show(() => {
        model.show(arranged);
        this.session.set({ hover: null, selection: this.nodeSelection() }, 'scene', 'selection');
      });
    };
    this.arranging = this.arranging.then(async () => {
      take(await this.layout.arrange(model.key, open, fromTop ? take : undefined));
      if (this.wanted === wanted) this.wanted = null;
    });
    return this.arranging;
  }

  /** Wires are numbered anew in every scene. */
  private nodeSelection(): Target | null {
    return this.session.selection?.kind === 'wire' ? null : this.session.selection;
  }
}
