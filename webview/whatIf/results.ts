import type { ViewPlan } from '../../src/protocol/webview';
import { table, type Cell } from '../panels/table';
import { bytesText, changeText, secondsText } from '../units';

const HEAD = [
  '',
  'latency',
  'change',
  'no plan below',
  'gap',
  'best single device',
  'fullest device',
] as const;

/** The saved plan and, where there is one, the shown one beside each other. */
export function resultTable(saved: ViewPlan | null, shown: ViewPlan | null): HTMLTableElement {
  const rows: Cell[][] = [];
  if (saved !== null) rows.push(row('Saved plan', saved, null));
  if (shown !== null) rows.push(row('What if', shown, saved));
  return table(rows, HEAD);
}

function row(name: string, { plan }: ViewPlan, against: ViewPlan | null): Cell[] {
  const { seconds, lowerBoundSeconds, baselines } = plan.latency;
  const single = baselines['singleDevice'];
  const gap = lowerBoundSeconds > 0 ? `${((seconds / lowerBoundSeconds - 1) * 100).toFixed(1)} %` : '–';
  const fullest = plan.devices.reduce((most, device) =>
    device.peakBytes / device.limitBytes > most.peakBytes / most.limitBytes ? device : most,
  );
  return [
    name,
    { number: secondsText(seconds), marked: true },
    { number: against === null ? '' : changeText(seconds, against.plan.latency.seconds) },
    { number: lowerBoundSeconds > 0 ? secondsText(lowerBoundSeconds) : '–' },
    { number: gap },
    {
      number:
        single === undefined ? '–' : `${secondsText(single.seconds)}${single.valid ? '' : ', does not fit'}`,
    },
    { number: `${fullest.name}: ${bytesText(fullest.peakBytes)} of ${bytesText(fullest.limitBytes)}` },
  ];
}
