import type { Plan } from '../core/plan/plan';
import { STOPPED_TEXT } from './command';
import { bytesText } from '../core/cluster/quantity';
import { changeText, secondsText, table } from './format';

/** The result of an optimization in a few lines that a person reads. */
export function planSummary(plan: Plan): string[] {
  const { order, latency, cluster } = plan;
  const lines: string[] = [];
  const proof = order.status === 'optimal' ? 'proven optimal' : `bound ${bytesText(order.lowerBoundBytes)}`;
  const against = Object.entries(order.baselines)
    .filter(([name]) => name === 'random' || name === 'model')
    .map(
      ([name, { peakBytes }]) =>
        `${name} order ${bytesText(peakBytes)} (${changeText(peakBytes, order.peakBytes)})`,
    );
  lines.push(`memory   peak of activations ${bytesText(order.peakBytes)}, ${proof}; ${against.join(', ')}`);
  const total = order.peakBytes + order.weightBytes;
  lines.push(`         with weights on one device ${bytesText(total)}`);
  lines.push(
    `latency  ${secondsText(latency.seconds)} estimated on ${cluster.name} (${latency.model}); ${singleDeviceText(plan)}`,
  );
  if (latency.lowerBoundSeconds > 0) {
    const gap = (latency.seconds / latency.lowerBoundSeconds - 1) * 100;
    lines.push(
      `         no plan takes less than ${secondsText(latency.lowerBoundSeconds)}: at most ${gap.toFixed(1)} % from the best possible`,
    );
  }
  // Operators that no output needs may run on after the outputs are whole.
  const span = plan.timeline.reduce((last, { end }) => Math.max(last, end), latency.seconds);
  const rows = plan.devices.map((device) => [
    `  ${device.name}`,
    bytesText(device.peakBytes),
    bytesText(device.limitBytes),
    bytesText(device.weightBytes),
    `${((device.busySeconds / span) * 100).toFixed(0)} %`,
  ]);
  lines.push(...table([['  device', 'peak', 'limit', 'weights', 'busy'], ...rows]));
  const split = plan.operators.filter(({ partition }) => partition.shards.length > 1);
  const byDimension = new Map<string, number>();
  for (const { partition } of split)
    byDimension.set(partition.dimension, (byDimension.get(partition.dimension) ?? 0) + 1);
  const dimensions = [...byDimension].map(([dimension, count]) => `${count} by ${dimension}`).join(', ');
  lines.push(
    `${split.length} of ${plan.operators.length} operators are split${dimensions ? ` (${dimensions})` : ''}`,
  );
  if (plan.stopped) lines.push(STOPPED_TEXT[plan.stopped]);
  return lines;
}

function singleDeviceText({ latency }: Plan): string {
  const single = latency.baselines.singleDevice;
  if (single === undefined) return '';
  if (!single.valid)
    return `no single device can hold the model (the fastest would take ${secondsText(single.seconds)})`;
  if (single.seconds <= latency.seconds)
    return 'the best single device is as fast: splitting does not pay here';
  return `best single device ${secondsText(single.seconds)} (${changeText(single.seconds, latency.seconds)})`;
}
