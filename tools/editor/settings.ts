/** A quiet editor: nothing that asks, greets, or phones home. */
export const QUIET_SETTINGS = {
  'workbench.startupEditor': 'none',
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.ignoreRecommendations': true,
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'update.mode': 'none',
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.commandCenter.enabled': false,
} as const;

/** The tests' editor: also without what differs from run to run. */
export const TEST_SETTINGS = {
  ...QUIET_SETTINGS,
  'git.enabled': false,
  'files.exclude': { '**/.vscode': true },
  'files.watcherExclude': {},
  'window.commandCenter': false,
  'workbench.tips.enabled': false,
  'workbench.reduceMotion': 'on',
} as const;
