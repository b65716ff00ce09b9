import type { DocumentState } from '../../src/protocol/webview';
import { button } from '../controls';
import { el, fill } from '../dom';
import { bytesText } from '../units';

/** What stands in the editor's place while there is no graph: loading, too large, failed, or nothing to show. */
export class StatePage {
  readonly element = el('div', { className: 'state-page' });

  constructor(private readonly openAnyway: () => void) {
    this.element.setAttribute('role', 'status');
  }

  show(state: DocumentState | null): void {
    this.element.hidden = false;
    if (state === null || state.kind === 'loading') this.loading(state?.fileName ?? '');
    else if (state.kind === 'confirm') this.confirm(state);
    else if (state.kind === 'failed') this.failed(state.fileName, state.message);
    else this.empty(state.fileName);
  }

  hide(): void {
    this.element.hidden = true;
  }

  private loading(fileName: string): void {
    const skeleton = Array.from({ length: 4 }, () => el('i', {}));
    fill(this.element, [
      el('div', { className: 'skeleton', aria: { hidden: 'true' } }, ...skeleton),
      el('p', {}, fileName === '' ? 'Loading …' : `Reading ${fileName} …`),
    ]);
  }

  private confirm({ fileName, bytes, limitBytes }: Extract<DocumentState, { kind: 'confirm' }>): void {
    fill(this.element, [
      el('h2', {}, `${fileName} is ${bytesText(bytes)}`),
      el(
        'p',
        {},
        `Files over ${bytesText(limitBytes)} are opened only when asked for. Weights are not read.`,
      ),
      button({ label: 'Open it', look: 'primary', pressed: () => this.openAnyway() }),
    ]);
  }

  private failed(fileName: string, message: string): void {
    const [first, ...rest] = message.split('\n');
    fill(this.element, [
      el('div', { className: 'state-sign', aria: { hidden: 'true' } }, '!'),
      el('h2', {}, `${fileName} cannot be shown`),
      el('p', { className: 'state-message' }, first),
      ...rest.filter((line) => line.trim() !== '').map((line) => el('p', {}, line)),
    ]);
  }

  private empty(fileName: string): void {
    fill(this.element, [
      el('h2', {}, `${fileName} holds no operators`),
      el('p', {}, 'Every node of its graph is a constant, or it has none.'),
    ]);
  }
}
