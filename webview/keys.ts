import type { GraphView } from './graph/view';
import type { Navigation } from './navigation';
import type { Session } from './session';

export interface KeyActions {
  search(): void;
  details(): void;
  escape(): void;
  menu(node: number | null, x: number, y: number): void;
  goToPeak(): void;
  outline(): void;
}

export const KEY_HELP =
  'Arrows follow edges, Enter shows details, Space opens or closes a group, Control F searches, F fits, P goes to the peak, O shows the list, Backspace goes back, Shift F10 opens the menu.';

/** Keys of the graph: arrows walk along edges, the rest as the menu says. */
export class Keys {
  constructor(
    private readonly session: Session,
    private readonly view: GraphView,
    private readonly navigation: Navigation,
    private readonly actions: KeyActions,
  ) {
    view.canvas.addEventListener('keydown', (event) => this.key(event));
    window.addEventListener('keydown', (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === 'f') {
        event.preventDefault();
        actions.search();
      } else if (event.key === 'Escape') actions.escape();
    });
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.handle(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  private handle(event: KeyboardEvent): boolean {
    switch (event.key) {
      case 'ArrowDown':
        return this.follow('down');
      case 'ArrowUp':
        return this.follow('up');
      case 'ArrowLeft':
        return this.sideways(-1);
      case 'ArrowRight':
        return this.sideways(1);
      case 'Enter':
        this.actions.details();
        return true;
      case ' ':
        return this.toggle();
      case 'f':
      case 'F':
        this.view.fit();
        return true;
      case 'Home':
        this.view.showStart();
        return true;
      case 'p':
      case 'P':
        this.actions.goToPeak();
        return true;
      case 'o':
      case 'O':
        this.actions.outline();
        return true;
      case 'Backspace':
        this.navigation.back();
        return true;
      case '+':
      case '=':
        this.view.zoomBy(1.25);
        return true;
      case '-':
        this.view.zoomBy(0.8);
        return true;
      case 'ContextMenu':
        return this.menu();
      case 'F10':
        return event.shiftKey && this.menu();
      default:
        return false;
    }
  }

  private selected(): number | null {
    const { selection, model } = this.session;
    if (model === null || selection?.kind !== 'node' || model.place[selection.node] === -1) return null;
    return selection.node;
  }

  private select(node: number): true {
    this.session.select({ kind: 'node', node });
    if (!this.view.inSight(node)) this.view.reveal(node);
    return true;
  }

  private follow(direction: 'down' | 'up'): boolean {
    const { model } = this.session;
    if (model === null) return false;
    const from = this.selected();
    if (from === null) {
      const first = model.scene.node.find((_, i) => model.scene.frame[i] === 0);
      return first !== undefined && this.select(first);
    }
    const { wires } = model.scene;
    const { incoming, outgoing } = model.wiresAt(from);
    const next =
      direction === 'up'
        ? incoming.map((w) => wires.source[w])
        : outgoing.flatMap((w) => [...wires.sinks.subarray(wires.firstSink[w], wires.firstSink[w + 1])]);
    const nearest = next
      .filter((node) => model.place[node] !== -1)
      .sort((a, b) => this.distance(from, a) - this.distance(from, b))[0];
    return nearest === undefined || this.select(nearest);
  }

  /** To the next box at the same height. */
  private sideways(sign: -1 | 1): boolean {
    const { model } = this.session;
    const from = this.selected();
    if (model === null || from === null) return false;
    const { scene, place } = model;
    const at = place[from];
    const middle = scene.y[at] + scene.height[at] / 2;
    let best = -1;
    for (let i = 0; i < scene.node.length; i++) {
      const sameRow = scene.frame[i] === 0 && scene.y[i] <= middle && scene.y[i] + scene.height[i] >= middle;
      if (!sameRow || (scene.x[i] - scene.x[at]) * sign <= 0) continue;
      if (best === -1 || Math.abs(scene.x[i] - scene.x[at]) < Math.abs(scene.x[best] - scene.x[at])) best = i;
    }
    return best === -1 || this.select(scene.node[best]);
  }

  private distance(a: number, b: number): number {
    const { scene, place } = this.session.model!;
    const [i, j] = [place[a], place[b]];
    return (
      Math.abs(scene.y[i] - scene.y[j]) +
      Math.abs(scene.x[i] + scene.width[i] / 2 - scene.x[j] - scene.width[j] / 2)
    );
  }

  private toggle(): boolean {
    const node = this.selected();
    if (node === null || !this.session.model!.isGroup(node)) return false;
    void this.navigation.toggle(node);
    return true;
  }

  private menu(): boolean {
    const node = this.selected();
    const { x, y } = this.view.anchorOf(node ?? -1);
    this.actions.menu(node, x, y);
    return true;
  }
}
