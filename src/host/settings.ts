import * as vscode from 'vscode';
import type { OptimizeOptions } from '../protocol/worker';

const SECTION = 'memorianova';

/** What the user has set, for a model (settings may differ per folder). */
export interface Settings {
  readonly optimize: OptimizeOptions;
  readonly fuse: 'none' | 'conv';
  readonly inPlace: 'none' | 'elementwise';
  /** Larger files are opened only when asked for. */
  readonly sizeLimitBytes: number;
}

/** Reads the settings of package.json's `contributes.configuration`; their defaults stand there. */
export function settingsFor(uri: vscode.Uri): Settings {
  const section = vscode.workspace.getConfiguration(SECTION, uri);
  const value = <T>(name: string): T => section.get<T>(name) as T;
  const fuse = value<Settings['fuse']>('fuse');
  const inPlace = value<Settings['inPlace']>('inPlace');
  const timeLimitSeconds = value<number>('timeLimit');
  return {
    optimize: {
      seed: value('seed'),
      evaluations: value('evaluations'),
      latency: value('latency'),
      strategy: value('strategy'),
      fuse,
      inPlace,
      ...(timeLimitSeconds > 0 ? { timeLimitSeconds } : {}),
    },
    fuse,
    inPlace,
    sizeLimitBytes: value<number>('sizeLimit') * 2 ** 20,
  };
}

/** Whether a change of settings touches any of ours. */
export function touchesSettings(event: vscode.ConfigurationChangeEvent): boolean {
  return event.affectsConfiguration(SECTION);
}
