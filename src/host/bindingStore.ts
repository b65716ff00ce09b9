import type * as vscode from 'vscode';
import type { BindingStore } from './session';

const KEY = 'bindings';

/** Sizes of symbolic dimensions per model, kept with the workspace. */
export function bindingStore(memory: vscode.Memento): BindingStore {
  const all = (): Record<string, Readonly<Record<string, number>>> => memory.get(KEY, {});
  return {
    get: (model) => all()[model.toString()] ?? {},
    set: (model, bindings) => void memory.update(KEY, { ...all(), [model.toString()]: bindings }),
  };
}
