import { el } from '../dom';
import type { Session } from '../session';
import { bytesText, countText } from '../units';
import { livesAt } from './geometry';

const MOST_NAMES = 2;

/** A slider over the steps of the order: what is born, alive and dying at each. */
export class Scrubber {
  readonly element = el('div', { className: 'scrubber' });
  private readonly slider = el('input', { type: 'range', min: '0', step: '1', aria: { label: 'Step' } });
  private readonly readout = el('span', { className: 'scrubber-text', aria: { live: 'polite' } });

  constructor(private readonly session: Session) {
    this.element.append(this.slider, this.readout);
    this.slider.addEventListener('input', () => session.set({ step: Number(this.slider.value) }, 'step'));
    session.on(['document', 'plan', 'step', 'tab'], () => this.render());
  }

  key(event: KeyboardEvent): void {
    const { memory } = this.session;
    if (memory === null) return;
    const last = memory.liveBytes.length - 1;
    const now = this.session.step ?? memory.peakStep;
    if (event.key === 'ArrowRight') this.session.set({ step: Math.min(last, now + 1) }, 'step');
    else if (event.key === 'ArrowLeft') this.session.set({ step: Math.max(0, now - 1) }, 'step');
    else return;
    event.preventDefault();
  }

  private render(): void {
    const { memory, tab, trail, opened } = this.session;
    if (tab !== 'lifetimes' || memory === null || opened === null || trail[0] === undefined) return;
    const step = this.session.step ?? memory.peakStep;
    this.slider.max = String(memory.liveBytes.length - 1);
    this.slider.value = String(step);
    const { born, dying, alive } = livesAt(opened.graph, memory, step);
    const parts = [
      `step ${step} · ${trail[0].describe(memory.operators[step])}`,
      `${bytesText(memory.liveBytes[step], memory.known)} in ${countText(alive, 'storage')}`,
      names('born', born, this.session),
      names('dying', dying, this.session),
    ];
    this.readout.textContent = parts.filter((part) => part !== '').join(' · ');
    this.readout.title = this.readout.textContent;
  }
}

function names(word: string, tensors: readonly number[], { opened }: Session): string {
  if (tensors.length === 0) return '';
  const { names: all, bytes } = opened!.graph.tensors;
  const shown = tensors.slice(0, MOST_NAMES).map((tensor) => `${all[tensor]} (${bytesText(bytes[tensor])})`);
  const more = tensors.length - MOST_NAMES;
  return `${word} ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
