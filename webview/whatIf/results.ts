import type { ViewPlan } from '../../src/protocol/webview';
import { table, type Cell } from '../panels/table';
import { bytesText, changeText, secondsText } from '../units';

/** The saved plan and, where there is one, the shown one beside each other: a column each. */
export function resultTable(saved: ViewPlan, shown: ViewPlan | null): HTMLTableElement {
  const plans = shown === null ? [saved] : [saved, shown];
  const row = (name: string, text: (view: ViewPlan) => string, marked = false): Cell[] => [
    name,
    ...plans.map((view) => ({ number: text(view), marked })),
  ];
  const change = (view: ViewPlan): string =>
    view === saved ? '' : changeText(view.plan.latency.seconds, saved.plan.latency.seconds);
  return table(
    [
      row('latency', ({ plan }) => secondsText(plan.latency.seconds), true),
      ...(shown === null ? [] : [row('change', change)]),
      row('no plan is below', ({ plan }) => boundText(plan.latency.lowerBoundSeconds)),
      row('gap', gapText),
      row('best single device', singleText),
      row('fullest device', fullestName),
      row('needs at most', fullestText),
    ],
    shown === null ? ['', 'saved plan'] : ['', 'saved plan', 'what if'],
  );
}

/** A bound of 0 says nothing. */
function boundText(seconds: number): string {
  return seconds > 0 ? secondsText(seconds) : '–';
}

function gapText({ plan: { latency } }: ViewPlan): string {
  const { seconds, lowerBoundSeconds } = latency;
  return lowerBoundSeconds > 0 ? `${((seconds / lowerBoundSeconds - 1) * 100).toFixed(1)} %` : '–';
}

function singleText({ plan }: ViewPlan): string {
  const single = plan.latency.baselines['singleDevice'];
  if (single === undefined) return '–';
  return `${secondsText(single.seconds)}${single.valid ? '' : ', does not fit'}`;
}

function fullest({ plan }: ViewPlan): ViewPlan['plan']['devices'][number] {
  return plan.devices.reduce((most, device) =>
    device.peakBytes / device.limitBytes > most.peakBytes / most.limitBytes ? device : most,
  );
}

function fullestName(view: ViewPlan): string {
  return fullest(view).name;
}

function fullestText(view: ViewPlan): string {
  const { peakBytes, limitBytes } = fullest(view);
  return `${bytesText(peakBytes)} of ${bytesText(limitBytes)}`;
}
