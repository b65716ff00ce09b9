import type { Cluster } from '../core/cluster/cluster';
import { encodeCluster } from '../core/cluster/encode';
import { parseCluster } from '../core/cluster/parse';
import { parseQuantity } from '../core/cluster/quantity';
import type { Dimension } from '../core/partition/partition';
import { changeCluster } from '../core/search/whatIf';
import type { PlanPin } from '../engine/optimize';
import { type CommandOption, type Invocation, textOption, UsageError } from './command';

/** Changes of the cluster and wishes for operators: what if a device had less memory, or were gone? */
export const WHAT_IF_OPTIONS: Readonly<Record<string, CommandOption>> = {
  from: { type: 'string', value: 'PLAN', summary: 'start from this plan of the model' },
  set: {
    type: 'string',
    multiple: true,
    value: 'DEVICE.FIELD=VALUE',
    summary: 'what if a device had another memory, compute or operatorOverhead (may be repeated)',
  },
  bandwidth: { type: 'string', value: 'VALUE', summary: 'what if the network had this bandwidth' },
  drop: {
    type: 'string',
    multiple: true,
    value: 'DEVICE',
    summary: 'what if this device were gone (may be repeated)',
  },
  pin: {
    type: 'string',
    multiple: true,
    value: 'INDEX=DEVICE|DIMENSION',
    summary: 'keep an operator on a device, or split it along H, W, C, K or not at all (may be repeated)',
  },
};

const FIELDS = { memory: 'bytes', compute: 'compute', operatorOverhead: 'time' } as const;
const DIMENSIONS: readonly string[] = ['none', 'H', 'W', 'C', 'K'];

/** @throws InputError where a value is none that a cluster file may have */
export function changedCluster(invocation: Invocation, cluster: Cluster): Cluster {
  let changed = cluster;
  for (const text of list(invocation, 'set')) {
    const parts = /^(.+)\.(\w+)=(.+)$/.exec(text);
    const field = parts?.[2] as keyof typeof FIELDS | undefined;
    if (parts === null || field === undefined || !Object.hasOwn(FIELDS, field)) {
      throw new UsageError(
        `--set takes DEVICE.FIELD=VALUE with ${Object.keys(FIELDS).join(', ')}, not "${text}".`,
      );
    }
    const value = parseQuantity(parts[3], FIELDS[field], `--set ${parts[1]}.${field}`);
    changed = changeCluster(changed, { kind: 'device', name: parts[1], change: { [field]: value } });
  }
  const bandwidth = textOption(invocation, 'bandwidth');
  if (bandwidth !== undefined) {
    changed = changeCluster(changed, {
      kind: 'network',
      bandwidth: parseQuantity(bandwidth, 'bandwidth', '--bandwidth'),
    });
  }
  for (const name of list(invocation, 'drop')) changed = changeCluster(changed, { kind: 'drop', name });
  return parseCluster(encodeCluster(changed));
}

export function pinsOf(invocation: Invocation): ReadonlyMap<number, PlanPin> | undefined {
  const pins = new Map<number, PlanPin>();
  for (const text of list(invocation, 'pin')) {
    const parts = /^(\d+)=(.+)$/.exec(text);
    if (parts === null) throw new UsageError(`--pin takes INDEX=DEVICE or INDEX=DIMENSION, not "${text}".`);
    const isDimension = DIMENSIONS.includes(parts[2]);
    const pin = isDimension ? { dimension: parts[2] as Dimension } : { device: parts[2] };
    pins.set(Number(parts[1]), { ...pins.get(Number(parts[1])), ...pin });
  }
  return pins.size === 0 ? undefined : pins;
}

function list({ values }: Invocation, name: string): readonly string[] {
  return (values[name] as string[] | undefined) ?? [];
}
