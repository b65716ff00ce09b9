import type { CostAnalysis } from '../../src/protocol/webview';
import { el, fill } from '../dom';
import type { Session, Target } from '../session';
import { costFacts, groupFacts, operatorFacts, tensorFacts } from './facts';
import { typesInside } from './groupTypes';

const AWAY = 16;
/** The host is asked for alternatives only where the pointer rests. */
const REST_MILLISECONDS = 260;

/** A compact table beside the pointer. What the host has to work out follows when it comes. */
export class Tooltip {
  readonly element = el('div', { className: 'tooltip', hidden: true });
  private at = { x: 0, y: 0 };
  private rest: ReturnType<typeof setTimeout> | undefined;
  private readonly costs = new Map<number, CostAnalysis | null>();

  constructor(
    private readonly session: Session,
    private readonly askCosts: (operator: number) => Promise<CostAnalysis>,
  ) {
    this.element.setAttribute('role', 'tooltip');
    session.on(['hover'], () => this.show());
    session.on(['graph', 'plan'], () => this.costs.clear());
  }

  moveTo(x: number, y: number): void {
    this.at = { x, y };
    if (!this.element.hidden) this.place();
  }

  /** What it says as lines of text; `null` while it is hidden. */
  get text(): string | null {
    return this.element.hidden ? null : this.element.innerText;
  }

  hide(): void {
    clearTimeout(this.rest);
    this.element.hidden = true;
  }

  private show(): void {
    this.hide();
    const { hover, model } = this.session;
    if (hover === null || model === null) return;
    const content = this.content(hover);
    if (content === null) return;
    fill(this.element, content);
    this.element.hidden = false;
    this.place();
    if (hover.kind === 'node' && model.isOperator(hover.node) && this.session.trail.length === 1) {
      const op = hover.node;
      this.rest = setTimeout(() => void this.addCosts(op), REST_MILLISECONDS);
    }
  }

  private content(target: Target): Node[] | null {
    const model = this.session.model!;
    const title = (text: string, note: string): Node =>
      el('header', {}, el('b', {}, text), note === '' ? null : el('span', {}, note));
    if (target.kind === 'node' && model.isOperator(target.node)) {
      const name = model.graph.operators.names[target.node];
      return [title(model.typeText(target.node), name), ...operatorFacts(this.session, model, target.node)];
    }
    if (target.kind === 'node' && model.isGroup(target.node)) {
      const note = model.isOpenGroup(target.node) ? 'double-click to close' : 'double-click to open';
      return [
        title(model.title1(target.node), note),
        ...groupFacts(model, target.node, typesInside(model, target.node)),
      ];
    }
    const tensors = this.tensorsOf(target);
    const first = tensors[0];
    if (first === undefined) return null;
    const more = tensors.length > 1 ? `and ${tensors.length - 1} more tensors` : '';
    return [title(model.graph.tensors.names[first], more), ...tensorFacts(this.session, model, first)];
  }

  private tensorsOf(target: Target): readonly number[] {
    const model = this.session.model!;
    if (target.kind === 'tensor') return [target.tensor];
    if (target.kind === 'node') return [model.endTensor(target.node)];
    const { firstTensor, tensors } = model.scene.wires;
    return [...tensors.subarray(firstTensor[target.wire], firstTensor[target.wire + 1])];
  }

  private async addCosts(op: number): Promise<void> {
    const hover = this.session.hover;
    let analysis = this.costs.get(op);
    if (analysis === undefined) {
      analysis = await this.askCosts(op).catch(() => null);
      this.costs.set(op, analysis);
    }
    if (analysis === null || analysis.alternatives.length === 0 || this.session.hover !== hover) return;
    this.element.append(costFacts(analysis, 'quickest'));
    this.place();
  }

  /** Beside the pointer, on the side that has room. */
  private place(): void {
    const { offsetWidth, offsetHeight } = this.element;
    const right = this.at.x + AWAY + offsetWidth < window.innerWidth;
    const below = this.at.y + AWAY + offsetHeight < window.innerHeight;
    const x = right ? this.at.x + AWAY : Math.max(4, this.at.x - AWAY - offsetWidth);
    const y = below
      ? this.at.y + AWAY
      : Math.max(4, Math.min(this.at.y - AWAY - offsetHeight, window.innerHeight - offsetHeight - 4));
    this.element.style.left = `${x}px`;
    this.element.style.top = `${y}px`;
  }
}
