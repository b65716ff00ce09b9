import { button, checkbox, dropdown, textField } from '../controls';
import { el, fill } from '../dom';
import { bytesText } from '../units';
import { addDevice, roleOf, type ClusterDraft, type DraftDevice, type DraftLink } from './clusterDraft';

const NEEDS = 'needs now';

/** What a device needs in the shown plan, by name. */
export type Needs = ReadonlyMap<string, number>;

/** The devices and the network as a form. `changed` is called after every edit of the draft. */
export class ClusterForm {
  readonly element = el('div', { className: 'cluster-form' });

  constructor(private readonly changed: () => void) {}

  render(draft: ClusterDraft, needs: Needs): void {
    const again = (): void => {
      this.changed();
      this.render(draft, needs);
    };
    const add = button({
      label: 'Add a device',
      pressed: () => {
        addDevice(draft);
        again();
      },
    });
    fill(this.element, [
      this.devices(draft, needs, again),
      el('div', { className: 'button-row' }, add),
      this.links(draft, again),
    ]);
  }

  private devices(draft: ClusterDraft, needs: Needs, again: () => void): HTMLElement {
    const rows = draft.devices.map((device) => this.device(draft, device, needs, again));
    return formTable('Devices', ['Device', 'Memory', NEEDS, 'Speed', ''], rows);
  }

  private device(draft: ClusterDraft, device: DraftDevice, needs: Needs, again: () => void): HTMLElement {
    const role = roleOf(draft, device.name);
    const need = needs.get(device.name);
    const isNew = device.origin === null;
    const on = checkbox(isNew ? '' : device.name, device.isOn, (isOn) => {
      device.isOn = isOn;
      again();
    });
    // The inputs are there, or the outputs go there: it cannot be switched off.
    const fixed = el(
      'span',
      { className: 'fixed-device' },
      device.name,
      el('span', { className: 'dim role' }, role),
    );
    const name = isNew ? this.field('Name', device.name, true, (text) => (device.name = text)) : null;
    const remove = button({
      label: `Remove ${device.name}`,
      icon: 'close',
      look: 'icon',
      pressed: () => {
        draft.devices.splice(draft.devices.indexOf(device), 1);
        again();
      },
    });
    const field = (label: string, value: string, set: (text: string) => void): HTMLElement =>
      this.field(`${label} of ${device.name}`, value, device.isOn, set);
    return el(
      'tr',
      { className: device.isOn ? '' : 'off' },
      el('td', { className: 'device-cell' }, role === null ? on : fixed, name),
      el(
        'td',
        {},
        field('Memory', device.memory, (text) => (device.memory = text)),
      ),
      el('td', { className: 'number dim needs' }, need === undefined ? '–' : bytesText(need)),
      el(
        'td',
        {},
        field('Speed', device.compute, (text) => (device.compute = text)),
      ),
      el('td', {}, isNew ? remove : null),
    );
  }

  private links(draft: ClusterDraft, again: () => void): HTMLElement {
    const add = button({
      label: 'Set one link',
      title: 'Another bandwidth or latency for one direction between two devices',
      pressed: () => {
        const [from, to] = draft.devices.filter(({ isOn }) => isOn).map(({ name }) => name);
        draft.links.push({ from, to: to ?? from, bandwidth: draft.bandwidth, latency: '', origin: null });
        again();
      },
    });
    const every = el(
      'tr',
      {},
      el('td', {}, 'every link'),
      el(
        'td',
        {},
        this.field('Bandwidth of every link', draft.bandwidth, true, (text) => (draft.bandwidth = text)),
      ),
      el(
        'td',
        {},
        this.field('Latency of a message', draft.latency, true, (text) => (draft.latency = text)),
      ),
      el('td', {}),
    );
    return el(
      'div',
      {},
      formTable(
        'Links',
        ['Link', 'Bandwidth', 'Latency', ''],
        [every, ...draft.links.map((link) => this.link(draft, link, again))],
      ),
      el('div', { className: 'button-row' }, add),
    );
  }

  private link(draft: ClusterDraft, link: DraftLink, again: () => void): HTMLElement {
    const names = draft.devices.map(({ name }) => ({ value: name, text: name }));
    const end = (label: string, value: string, set: (name: string) => void): HTMLElement => {
      const choice = dropdown(label, names, (name) => {
        set(name);
        this.changed();
      });
      choice.value = value;
      return choice;
    };
    const remove = button({
      label: `Remove the link from ${link.from} to ${link.to}`,
      icon: 'close',
      look: 'icon',
      pressed: () => {
        draft.links.splice(draft.links.indexOf(link), 1);
        again();
      },
    });
    const place = `from ${link.from} to ${link.to}`;
    const ends = el(
      'div',
      { className: 'link-ends' },
      end('From', link.from, (name) => (link.from = name)),
      '→',
      end('To', link.to, (name) => (link.to = name)),
    );
    return el(
      'tr',
      {},
      el('td', {}, ends),
      el(
        'td',
        {},
        this.field(`Bandwidth ${place}`, link.bandwidth, true, (text) => (link.bandwidth = text)),
      ),
      el(
        'td',
        {},
        this.field(`Latency ${place}`, link.latency, true, (text) => (link.latency = text)),
      ),
      el('td', {}, remove),
    );
  }

  private field(label: string, value: string, isOn: boolean, set: (text: string) => void): HTMLElement {
    const field = textField(label, value === '' ? 'as every link' : '');
    field.title = label;
    field.value = value;
    field.disabled = !isOn;
    field.addEventListener('input', () => {
      set(field.value.trim());
      this.changed();
    });
    return field;
  }
}

function formTable(caption: string, head: readonly string[], rows: readonly HTMLElement[]): HTMLElement {
  return el(
    'table',
    { className: 'form-table' },
    el('caption', { className: 'visually-hidden' }, caption),
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        ...head.map((text) => el('th', { scope: 'col', className: text === NEEDS ? 'needs' : '' }, text)),
      ),
    ),
    el('tbody', {}, ...rows),
  );
}
