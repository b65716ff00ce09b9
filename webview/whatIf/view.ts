import type { OperatorPin, SweepOf, SweepResult, WhatIf, WhatIfOutcome } from '../../src/protocol/webview';
import { button, dropdown } from '../controls';
import { el, fill } from '../dom';
import { section } from '../panels/table';
import type { Session } from '../session';
import { bandwidthsAround, clusterOfDraft, draftOf, MEMORY_FACTORS, type ClusterDraft } from './clusterDraft';
import { ClusterForm } from './form';
import { pinText } from './pins';
import { resultTable } from './results';
import { sweepChart, type Swept } from './sweepChart';

export interface WhatIfActions {
  whatIf(wish: WhatIf): Promise<WhatIfOutcome>;
  sweep(wish: WhatIf & SweepOf): Promise<SweepResult>;
  keep(): void;
  discard(): void;
  cancel(): void;
  goToOperator(op: number): void;
}

const SWEEPS: readonly { readonly value: SweepOf['of']; readonly text: string }[] = [
  { value: 'bandwidth', text: 'bandwidth of every link' },
  { value: 'memory', text: 'memory of every device' },
];

/**
 * What would become of the plan with other devices, links or wishes for operators. A result is shown everywhere
 * in the plan's place, and saved only when the user keeps it.
 */
export class WhatIfView {
  readonly element = el('div', { className: 'what-if', hidden: true });
  private readonly form = new ClusterForm(() => this.say(''));
  private readonly pins = el('div', {});
  private readonly controls = el('div', { className: 'button-row' });
  private readonly status = el('p', { className: 'what-if-status' });
  private readonly results = el('div', {});
  private readonly sweepControls = el('div', { className: 'button-row' });
  private readonly sweepResult = el('div', {});
  private draft: ClusterDraft | null = null;
  private sweepOf: SweepOf['of'] = 'bandwidth';
  private swept: { readonly of: SweepOf['of']; readonly result: Swept } | null = null;

  constructor(
    private readonly session: Session,
    private readonly actions: WhatIfActions,
  ) {
    this.status.setAttribute('role', 'status');
    this.element.append(
      el(
        'div',
        { className: 'what-if-column' },
        section('Devices and links', this.form.element),
        section('Pinned operators', this.pins),
        this.controls,
        this.status,
      ),
      el(
        'div',
        { className: 'what-if-column' },
        section('Result', this.results),
        section('Where does splitting pay?', this.sweepControls, this.sweepResult),
      ),
    );
    session.on(['document', 'plan'], () => this.planChanged());
    session.on(['tab', 'plan', 'pins', 'progress', 'theme'], () => this.render());
  }

  /** The form follows the saved plan's cluster; a result that is only shown, or taken back, leaves it as it was. */
  private planChanged(): void {
    const { savedPlan } = this.session;
    if (savedPlan === null) this.draft = null;
    else if (JSON.stringify(this.draft?.origin) !== JSON.stringify(savedPlan.plan.cluster)) {
      this.draft = draftOf(savedPlan.plan.cluster);
      this.swept = null;
      this.say('');
    } else return;
    this.renderForm();
  }

  private renderForm(): void {
    const { savedPlan } = this.session;
    if (this.draft === null || savedPlan === null) return;
    const needs = new Map(savedPlan.plan.devices.map(({ name, peakBytes }) => [name, peakBytes]));
    this.form.render(this.draft, needs);
  }

  private render(): void {
    const { tab, savedPlan, isUnsaved, plan, theme } = this.session;
    if (tab !== 'whatIf') return;
    if (savedPlan === null) return this.session.set({ tab: 'graph' }, 'tab');
    this.renderPins();
    this.renderControls();
    const table = el(
      'div',
      { className: 'what-if-table' },
      resultTable(savedPlan, isUnsaved ? plan!.view : null),
    );
    fill(this.results, [table, isUnsaved ? this.decision() : null]);
    fill(this.sweepResult, this.swept === null ? [] : [sweepChart(this.swept.result, this.swept.of, theme)]);
  }

  private decision(): HTMLElement {
    const keep = button({
      label: 'Keep this plan',
      title: 'Save it in the place of the saved plan',
      look: 'primary',
      pressed: () => this.actions.keep(),
    });
    const discard = button({
      label: 'Discard',
      title: 'Show the saved plan again',
      pressed: () => this.actions.discard(),
    });
    return el('div', { className: 'button-row' }, keep, discard);
  }

  private renderControls(): void {
    const isRunning = this.session.progress !== null;
    const run = button({
      label: 'Run',
      look: 'primary',
      title: 'Search a plan for these devices, from the plan that is shown',
      pressed: () => void this.run(),
    });
    const reset = button({ label: 'Reset', title: 'As in the saved plan', pressed: () => this.reset() });
    const cancel = (): HTMLElement => button({ label: 'Cancel', pressed: () => this.actions.cancel() });
    fill(this.controls, isRunning ? [cancel()] : [run, reset]);
    const choice = dropdown('What to sweep', SWEEPS, (of) => (this.sweepOf = of as SweepOf['of']));
    choice.value = this.sweepOf;
    const sweep = button({
      label: 'Sweep',
      title: 'Search plans at several values, and plot their latency',
      pressed: () => void this.sweep(),
    });
    fill(this.sweepControls, isRunning ? [cancel()] : [choice, sweep]);
  }

  private renderPins(): void {
    const { pins, trail, plan } = this.session;
    const main = trail[0];
    if (pins.size === 0 || main === undefined || plan === null) {
      const hint =
        'None. Open the menu of an operator in the graph to keep it on a device, or split one way.';
      return fill(this.pins, [el('p', { className: 'note' }, hint)]);
    }
    const items = [...pins].map(([node, pin]) => {
      const op = plan.operatorOf(node);
      const link = el(
        'button',
        { type: 'button', className: 'link' },
        op === -1 ? `operator ${node}` : main.describe(op),
      );
      link.addEventListener('click', () => this.actions.goToOperator(op));
      const remove = button({
        label: 'Remove the pin',
        icon: 'close',
        look: 'icon',
        pressed: () => this.session.pin(node, null),
      });
      return el('li', { className: 'pin' }, link, el('span', { className: 'dim' }, pinText(pin)), remove);
    });
    const note = 'Those of the saved plan also hold when you optimize again.';
    fill(this.pins, [el('ul', { className: 'operands' }, ...items), el('p', { className: 'note' }, note)]);
  }

  private reset(): void {
    const { savedPlan } = this.session;
    if (savedPlan === null) return;
    this.draft = draftOf(savedPlan.plan.cluster);
    this.say('');
    this.renderForm();
  }

  private wish(): WhatIf {
    const pins: Record<number, OperatorPin> = Object.fromEntries(this.session.pins);
    return { cluster: clusterOfDraft(this.draft!), pins };
  }

  private async run(): Promise<void> {
    this.say('Searching …');
    const outcome = await this.actions.whatIf(this.wish());
    this.answer(outcome, 'Shown in every view until you keep or discard it.');
  }

  private async sweep(): Promise<void> {
    const of = this.sweepOf;
    const { bandwidth } = this.draft!.origin.network;
    const values = of === 'bandwidth' ? bandwidthsAround(bandwidth) : MEMORY_FACTORS;
    this.say('Sweeping …');
    const result = await this.actions.sweep({ ...this.wish(), of, values });
    if (result.kind === 'swept') this.swept = { of, result };
    this.answer(result, result.kind === 'swept' ? sweptText(result, values.length) : '');
    this.render();
  }

  private answer(outcome: WhatIfOutcome | SweepResult, done: string): void {
    if (outcome.kind === 'refused') this.say(outcome.message, true);
    else this.say(outcome.kind === 'cancelled' ? 'Cancelled; nothing was changed.' : done);
  }

  private say(text: string, isError = false): void {
    this.status.textContent = text;
    this.status.classList.toggle('error', isError);
  }
}

/** What kept a sweep from its end; nothing where nothing did. */
function sweptText({ points, isTimedOut }: Swept, values: number): string {
  if (points.length < values) return 'Cancelled; the values that were done are shown.';
  return isTimedOut ? 'Stopped at the time limit; the best plans so far are shown.' : '';
}
