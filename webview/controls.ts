import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeTextField,
  type Button,
  type Checkbox,
  type Dropdown,
  type TextField,
} from '@vscode/webview-ui-toolkit';

import { icon, type IconName } from './icons';

/** All form controls come from here; the rest of the webview does not know whose they are. */
provideVSCodeDesignSystem().register(
  vsCodeButton(),
  vsCodeCheckbox(),
  vsCodeDropdown(),
  vsCodeOption(),
  vsCodeTextField(),
);

interface ButtonOptions {
  readonly label: string;
  /** Shown on hover; told to screen readers as the name where the label is a sign. */
  readonly title?: string;
  readonly look?: 'primary' | 'secondary' | 'icon';
  /** Shown in the label's place. */
  readonly icon?: IconName;
  readonly pressed: () => void;
}

export function button({ label, title, look = 'secondary', icon: sign, pressed }: ButtonOptions): Button {
  const element = document.createElement('vscode-button') as Button;
  element.setAttribute('appearance', look);
  if (sign === undefined) element.textContent = label;
  else element.append(icon(sign));
  if (title !== undefined || sign !== undefined) element.title = title ?? label;
  // A visible label is the name by itself; what the title adds is a description.
  if (sign !== undefined) element.setAttribute('aria-label', title ?? label);
  element.addEventListener('click', pressed);
  return element;
}

export function dropdown(
  label: string,
  options: readonly { readonly value: string; readonly text: string }[],
  chosen: (value: string) => void,
): Dropdown {
  const element = document.createElement('vscode-dropdown') as Dropdown;
  element.setAttribute('aria-label', label);
  element.title = label;
  setOptions(element, options);
  element.addEventListener('change', () => chosen(element.value));
  return element;
}

export function setOptions(
  element: Dropdown,
  options: readonly { readonly value: string; readonly text: string }[],
): void {
  element.replaceChildren(
    ...options.map(({ value, text }) => {
      const option = document.createElement('vscode-option');
      option.setAttribute('value', value);
      option.textContent = text;
      return option;
    }),
  );
}

export function textField(label: string, placeholder: string): TextField {
  const element = document.createElement('vscode-text-field') as TextField;
  element.setAttribute('placeholder', placeholder);
  // The toolkit names every field `Text field` when it enters the page: ours follows in the next task.
  setTimeout(() => element.setAttribute('aria-label', label));
  return element;
}

export function checkbox(label: string, checked: boolean, changed: (checked: boolean) => void): Checkbox {
  const element = document.createElement('vscode-checkbox') as Checkbox;
  element.textContent = label;
  element.checked = checked;
  element.addEventListener('change', () => changed(element.checked));
  return element;
}
