import { InputError } from '../graph/problem';
import type { DeviceId } from '../graph/units';
import type { Cluster, Device, Link, Network } from './cluster';
import { parseQuantity, show } from './quantity';

const MOST_DEVICES = 64;

/**
 * What no device or network of this world falls below (FLOP/s, B/s) or exceeds (s). With much less, latencies outgrow
 * what can be counted to the nanosecond.
 */
export const LEAST_COMPUTE = 1000;
export const LEAST_BANDWIDTH = 1;
const LEAST_MEMORY_BANDWIDTH = 1000;
const LEAST_EFFICIENCY = 1e-6;
const MOST_SECONDS = 3600;

type Fields = Readonly<Record<string, unknown>>;

/**
 * A cluster from the text of a `*.cluster.json` file or from its parsed value. Every quantity may be a number
 * in its base unit (B, FLOP/s, B/s, s) or text with a unit.
 * @throws InputError with one sentence that names the field
 */
export function parseCluster(json: unknown): Cluster {
  const value = typeof json === 'string' ? parseJson(json) : json;
  const fields = object(value, 'The cluster', ['$schema', 'name', 'devices', 'network', 'source', 'sink']);
  const name = text(fields['name'], 'name');
  const devices = list(fields['devices'], 'devices').map(parseDevice);
  checkDevices(devices);
  const byName = new Map(devices.map((device, id) => [device.name, id]));
  return {
    name,
    devices,
    network: parseNetwork(fields['network'], byName),
    source: fields['source'] === undefined ? 0 : deviceNamed(fields['source'], 'source', byName),
    sink: fields['sink'] === undefined ? 0 : deviceNamed(fields['sink'], 'sink', byName),
  };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new InputError(
      `The cluster file is not valid JSON: ${error instanceof Error ? error.message : 'unreadable'}.`,
    );
  }
}

function parseDevice(value: unknown, index: number): Device {
  const where = `devices[${index}]`;
  const fields = object(value, where, [
    'name',
    'memory',
    'baseMemory',
    'compute',
    'memoryBandwidth',
    'operatorOverhead',
    'efficiency',
  ]);
  const name = text(fields['name'], `${where}.name`);
  const field = (key: string): string => `${where} "${name}": ${key}`;
  const memory = positive(
    parseQuantity(required(fields, 'memory', field), 'bytes', field('memory')),
    field('memory'),
  );
  const baseMemory = notNegative(
    parseQuantity(fields['baseMemory'] ?? 0, 'bytes', field('baseMemory')),
    field('baseMemory'),
  );
  const bandwidth = fields['memoryBandwidth'];
  return {
    name,
    memory,
    baseMemory,
    compute: atLeast(
      LEAST_COMPUTE,
      'FLOP/s',
      parseQuantity(required(fields, 'compute', field), 'compute', field('compute')),
      field('compute'),
    ),
    memoryBandwidth:
      bandwidth === undefined
        ? undefined
        : atLeast(
            LEAST_MEMORY_BANDWIDTH,
            'B/s',
            parseQuantity(bandwidth, 'bandwidth', field('memoryBandwidth')),
            field('memoryBandwidth'),
          ),
    operatorOverhead: parseTime(required(fields, 'operatorOverhead', field), field('operatorOverhead')),
    efficiency: parseEfficiency(fields['efficiency'], field('efficiency')),
  };
}

function parseEfficiency(value: unknown, where: string): ReadonlyMap<string, number> {
  if (value === undefined) return new Map();
  const entries = Object.entries(object(value, where));
  return new Map(
    entries.map(([type, fraction]) => {
      if (typeof fraction !== 'number' || !(fraction >= LEAST_EFFICIENCY && fraction <= 1)) {
        throw new InputError(
          `${where} of "${type}" must be a number from ${LEAST_EFFICIENCY} to 1, not ${show(fraction)}.`,
        );
      }
      return [type, fraction];
    }),
  );
}

function checkDevices(devices: readonly Device[]): void {
  if (devices.length === 0) throw new InputError('devices is empty: a cluster needs at least one device.');
  if (devices.length > MOST_DEVICES) {
    throw new InputError(`devices has ${devices.length} entries; at most ${MOST_DEVICES} are supported.`);
  }
  const names = new Set<string>();
  for (const { name } of devices) {
    if (names.has(name)) throw new InputError(`devices has two entries named "${name}"; names must differ.`);
    names.add(name);
  }
}

function parseNetwork(value: unknown, byName: ReadonlyMap<string, DeviceId>): Network {
  const fields = object(value, 'network', ['kind', 'bandwidth', 'latency', 'links']);
  const kind = fields['kind'];
  if (kind !== 'switched' && kind !== 'shared') {
    throw new InputError(`network.kind must be "switched" or "shared", not ${show(kind)}.`);
  }
  const field = (key: string): string => `network.${key}`;
  const links = fields['links'] === undefined ? [] : list(fields['links'], 'network.links');
  return {
    kind,
    bandwidth: parseBandwidth(required(fields, 'bandwidth', field), 'network.bandwidth'),
    latency: parseTime(required(fields, 'latency', field), 'network.latency'),
    links: uniqueLinks(links.map((link, index) => parseLink(link, `network.links[${index}]`, byName))),
  };
}

function parseLink(value: unknown, where: string, byName: ReadonlyMap<string, DeviceId>): Link {
  const fields = object(value, where, ['from', 'to', 'bandwidth', 'latency']);
  const from = deviceNamed(fields['from'], `${where}.from`, byName);
  const to = deviceNamed(fields['to'], `${where}.to`, byName);
  if (from === to) throw new InputError(`${where} leads from ${show(fields['from'])} to itself.`);
  const { bandwidth, latency } = fields;
  return {
    from,
    to,
    bandwidth: bandwidth === undefined ? undefined : parseBandwidth(bandwidth, `${where}.bandwidth`),
    latency: latency === undefined ? undefined : parseTime(latency, `${where}.latency`),
  };
}

function uniqueLinks(links: readonly Link[]): readonly Link[] {
  links.forEach((link, index) => {
    const first = links.findIndex((other) => other.from === link.from && other.to === link.to);
    if (first !== index)
      throw new InputError(`network.links[${index}] has the same direction as network.links[${first}].`);
  });
  return links;
}

function deviceNamed(value: unknown, field: string, byName: ReadonlyMap<string, DeviceId>): DeviceId {
  const id = typeof value === 'string' ? byName.get(value) : undefined;
  if (id === undefined) {
    throw new InputError(
      `${field} must name one of the devices (${[...byName.keys()].join(', ')}), not ${show(value)}.`,
    );
  }
  return id;
}

/** @param known the fields that it may have; any when absent */
function object(value: unknown, where: string, known?: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`${where} must be an object, not ${show(value)}.`);
  }
  const unknown = known === undefined ? undefined : Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new InputError(`${where} has an unknown field "${unknown}"; known are ${known?.join(', ')}.`);
  }
  return value as Fields;
}

function list(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new InputError(`${field} must be a list, not ${show(value)}.`);
  return value;
}

function text(value: unknown, field: string): string {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new InputError(`${field} must be a text that is not empty, not ${show(value)}.`);
  }
  return value;
}

function required(fields: Fields, key: string, field: (key: string) => string): unknown {
  if (fields[key] === undefined) throw new InputError(`${field(key)} is missing.`);
  return fields[key];
}

function positive(value: number, field: string): number {
  if (!(value > 0)) throw new InputError(`${field} must be above 0, not ${value}.`);
  return value;
}

function atLeast(least: number, unit: string, value: number, field: string): number {
  if (!(value >= least)) throw new InputError(`${field} must be at least ${least} ${unit}, not ${value}.`);
  return value;
}

function parseBandwidth(value: unknown, field: string): number {
  return atLeast(LEAST_BANDWIDTH, 'B/s', parseQuantity(value, 'bandwidth', field), field);
}

function parseTime(value: unknown, field: string): number {
  const seconds = notNegative(parseQuantity(value, 'time', field), field);
  if (seconds > MOST_SECONDS)
    throw new InputError(`${field} must be at most ${MOST_SECONDS} s, not ${seconds}.`);
  return seconds;
}

function notNegative(value: number, field: string): number {
  if (!(value >= 0)) throw new InputError(`${field} must not be negative, not ${value}.`);
  return value;
}
