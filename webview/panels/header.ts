import type { PlanState } from '../../src/protocol/webview';
import { button } from '../controls';
import { el, fill } from '../dom';
import type { Session } from '../session';
import { bytesText, changeText, countText, flopsText, secondsText } from '../units';
import { meter } from './table';

export interface HeaderActions {
  optimize(): void;
  cancel(): void;
  verify(): void;
  export(): void;
  openPlanFile(): void;
  goToPeak(): void;
  keepPlan(): void;
  discardPlan(): void;
}

/** The result in a few plain words: what the model is, what the plan saves, and each device against its limit. */
export class Header {
  readonly element = el('header', { className: 'header' });

  constructor(
    private readonly session: Session,
    private readonly actions: HeaderActions,
  ) {
    this.element.append(el('div', { className: 'header-line' }));
    session.on(['document', 'plan', 'theme', 'progress', 'device', 'verification'], () => this.render());
  }

  private render(): void {
    const { opened, planState } = this.session;
    if (opened === null) return;
    fill(this.element, [
      el('div', { className: 'header-line' }, this.modelLine(), this.buttons()),
      this.progressLine(),
      this.planNotice(planState),
      this.unsavedNotice(),
      this.session.plan === null ? null : this.result(),
      this.verificationLine(),
    ]);
  }

  private modelLine(): HTMLElement {
    const { fileName, graph, properties, memory } = this.session.opened!;
    const { flops, known } = properties.totalFlops;
    const facts = [
      countText(graph.operators.types.length, 'operator'),
      `${known ? '' : 'at least '}${flopsText(flops)}`,
      `weights ${bytesText(graph.weightBytes.bytes, graph.weightBytes.known)}`,
      `activation peak ${bytesText(memory.peakBytes, memory.known)} in the model's order`,
    ];
    return el(
      'p',
      { className: 'model-line' },
      el('b', {}, fileName),
      ' ',
      el('span', {}, facts.join(' · ')),
    );
  }

  private buttons(): HTMLElement {
    const { progress, planState } = this.session;
    const bar = el('div', { className: 'header-buttons' });
    if (progress !== null) bar.append(button({ label: 'Cancel', pressed: () => this.actions.cancel() }));
    else {
      if (planState.kind === 'current' && planState.saved) {
        bar.append(
          button({
            label: 'Verify',
            title: 'Run the partitioned model and compare its results',
            pressed: () => this.actions.verify(),
          }),
        );
        bar.append(
          button({
            label: 'Export',
            title: 'Write the partitioned model as ONNX',
            pressed: () => this.actions.export(),
          }),
        );
      }
      const look = planState.kind === 'current' ? 'secondary' : 'primary';
      const label = planState.kind === 'none' ? 'Optimize' : 'Optimize again';
      bar.append(button({ label, look, pressed: () => this.actions.optimize() }));
    }
    return bar;
  }

  private progressLine(): HTMLElement | null {
    const { progress } = this.session;
    if (progress === null) return null;
    const facts = [
      progress.bestPeakBytes === null ? '' : `peak ${bytesText(progress.bestPeakBytes)}`,
      progress.boundPeakBytes === null ? '' : `proven at least ${bytesText(progress.boundPeakBytes)}`,
      progress.bestSeconds === null ? '' : `latency ${secondsText(progress.bestSeconds)}`,
      progress.boundSeconds === null ? '' : `at least ${secondsText(progress.boundSeconds)}`,
    ].filter((fact) => fact !== '');
    const line = el(
      'div',
      { className: 'progress-line' },
      el('b', {}, progress.phase),
      ` ${facts.join(' · ')}`,
    );
    line.setAttribute('role', 'status');
    const bar = el('progress', { max: 1, aria: { label: progress.phase } });
    if (progress.fraction !== null) bar.value = progress.fraction;
    line.append(bar);
    return line;
  }

  private planNotice(state: PlanState): HTMLElement | null {
    if (state.kind === 'none' || state.kind === 'current') return null;
    const text =
      state.kind === 'stale'
        ? `${state.fileName} does not belong to this model any more: ${state.reason}`
        : state.message;
    const notice = el('div', { className: 'notice' }, text);
    notice.setAttribute('role', 'alert');
    notice.append(button({ label: 'Open the plan file', pressed: () => this.actions.openPlanFile() }));
    return notice;
  }

  /** A what-if's plan is shown in the saved one's place: that stays in sight wherever one looks. */
  private unsavedNotice(): HTMLElement | null {
    if (!this.session.isUnsaved) return null;
    const notice = el(
      'div',
      { className: 'notice unsaved' },
      'This is the result of a what-if; it is not saved.',
    );
    const keep = button({ label: 'Keep this plan', pressed: () => this.actions.keepPlan() });
    const discard = button({ label: 'Discard', pressed: () => this.actions.discardPlan() });
    notice.append(el('span', { className: 'notice-buttons' }, keep, discard));
    return notice;
  }

  private result(): HTMLElement {
    return el('div', { className: 'result' }, this.peakFact(), this.latencyFact(), this.deviceFacts());
  }

  private peakFact(): HTMLElement {
    const { order } = this.session.plan!.plan;
    const total = bytesText(order.peakBytes + order.weightBytes);
    const proof =
      order.status === 'optimal' ? 'proven least' : `proven at least ${bytesText(order.lowerBoundBytes)}`;
    const opponents = Object.entries(order.baselines).filter(
      ([name]) => name === 'random' || name === 'model',
    );
    const tied = Object.values(order.baselines).every((b) => b.peakBytes === order.peakBytes);
    const against = tied
      ? 'order does not matter for this model'
      : opponents
          .map(
            ([name, b]) =>
              `${name === 'model' ? "model's order" : 'random order'} ${bytesText(b.peakBytes)} (${changeText(order.peakBytes, b.peakBytes)})`,
          )
          .join(', ');
    const value = el(
      'button',
      { type: 'button', className: 'fact-value', title: 'Go to the peak' },
      bytesText(order.peakBytes),
    );
    value.addEventListener('click', () => this.actions.goToPeak());
    return fact('Activation peak', value, `${proof} · ${against} · with weights ${total}`);
  }

  private latencyFact(): HTMLElement {
    const { latency, options } = this.session.plan!.plan;
    const single = latency.baselines['singleDevice'];
    const gap = latency.seconds / latency.lowerBoundSeconds - 1;
    const parts = [
      `estimated, ${latency.model}, ${options.strategy}`,
      single === undefined
        ? ''
        : `best single device ${secondsText(single.seconds)}${single.valid ? '' : ', does not fit'} (${changeText(latency.seconds, single.seconds)})`,
      Number.isFinite(gap) && gap >= 0
        ? `no plan is below ${secondsText(latency.lowerBoundSeconds)} (gap ${(gap * 100).toFixed(1)} %)`
        : '',
    ];
    return fact(
      'Latency',
      el('span', { className: 'fact-value' }, secondsText(latency.seconds)),
      parts.filter((part) => part !== '').join(' · '),
    );
  }

  private deviceFacts(): HTMLElement {
    const { plan, theme, device } = this.session;
    const rows = plan!.plan.devices.map((d, i) => {
      const part = d.peakBytes / d.limitBytes;
      const text = `${bytesText(d.peakBytes)} of ${bytesText(d.limitBytes)}`;
      const row = el(
        'button',
        {
          className: 'device-row',
          type: 'button',
          title: `Show only what ${d.name} does`,
          aria: { pressed: String(device === i) },
        },
        el(
          'span',
          { className: 'swatch' },
          el('i', { style: { background: theme.series[i % theme.series.length] } }),
          d.name,
        ),
        meter(part, theme.series[i % theme.series.length], `${Math.round(part * 100)} % of its memory`),
        el('span', { className: 'number' }, text),
      );
      const show = (value: number | null) => () => this.session.set({ device: value }, 'device');
      row.addEventListener('click', show(device === i ? null : i));
      // A change of its own, for which the header is not drawn anew: the row under the pointer stays.
      const hover = (value: number | null) => () => this.session.set({ hoverDevice: value }, 'hoverDevice');
      row.addEventListener('pointerenter', hover(i));
      row.addEventListener('pointerleave', hover(null));
      return row;
    });
    return el('div', { className: 'devices' }, ...rows);
  }

  private verificationLine(): HTMLElement | null {
    const { verification } = this.session;
    if (verification === null) return null;
    const line = el('div', { className: verification.passed ? 'note' : 'notice' }, verification.summary);
    line.setAttribute('role', 'status');
    return line;
  }
}

function fact(label: string, value: Node, note: string): HTMLElement {
  return el(
    'div',
    { className: 'fact' },
    el('span', { className: 'fact-label' }, label),
    value,
    el('span', { className: 'fact-note' }, note),
  );
}
