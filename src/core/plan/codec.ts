import { InputError } from '../graph/problem';
import type { Plan } from './plan';

/** Ends the file's name: `<model>.memorianova.json` beside `<model>.onnx`. */
export const PLAN_EXTENSION = '.memorianova.json';
/** No plan that this program writes comes near it; a larger file is something else. */
export const LARGEST_PLAN_BYTES = 256 * 2 ** 20;

/** Deterministic text of a plan: fixed field order, one operator, tensor and event per line. */
export function encodePlan(plan: Plan): string {
  const fields = Object.entries(plan).filter(([, value]) => value !== undefined);
  const lines = fields.map(([name, value]) => `  ${JSON.stringify(name)}: ${encodeField(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

function encodeField(value: unknown): string {
  if (!Array.isArray(value)) return JSON.stringify(value);
  if (value.length === 0) return '[]';
  return `[\n${value.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`;
}

type Check = (value: unknown, path: string) => void;

/**
 * Reads a plan file. Throws `InputError` with one sentence that names the field; fields that this version does
 * not know are kept.
 */
export function parsePlan(text: string): Plan {
  if (text.length > LARGEST_PLAN_BYTES)
    throw new InputError('This plan file is too large to be a MemoriaNova plan.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`The plan is not valid JSON: ${(error as Error).message}.`);
  }
  if (!isObject(value) || value.format !== 'memorianova-plan') {
    throw new InputError('This is not a MemoriaNova plan: "format" is not "memorianova-plan".');
  }
  if (value.version !== 1) {
    throw new InputError(
      `The plan has version ${JSON.stringify(value.version)}, this program reads version 1: update the extension, or optimize again.`,
    );
  }
  planShape(value, '');
  return value as unknown as Plan;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(path: string, wanted: string): never {
  throw new InputError(`The plan's ${path} must be ${wanted}: optimize again, or restore the file.`);
}

const text: Check = (value, path) => void (typeof value === 'string' || wrong(path, 'text'));
const amount: Check = (value, path) =>
  void (
    (typeof value === 'number' && Number.isFinite(value) && value >= 0) ||
    wrong(path, 'a number, 0 or more')
  );
const whole: Check = (value, path) =>
  void ((Number.isSafeInteger(value) && (value as number) >= 0) || wrong(path, 'a whole number, 0 or more'));
const integer: Check = (value, path) => void (Number.isSafeInteger(value) || wrong(path, 'a whole number'));
const flag: Check = (value, path) => void (typeof value === 'boolean' || wrong(path, 'true or false'));

const oneOf =
  (...allowed: readonly string[]): Check =>
  (value, path) =>
    void (allowed.includes(value as string) || wrong(path, `one of ${allowed.join(', ')}`));

const optional =
  (check: Check): Check =>
  (value, path) =>
    value === undefined ? undefined : check(value, path);

const list =
  (check: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value)) wrong(path, 'a list');
    value.forEach((item, index) => check(item, `${path}[${index}]`));
  };

const record =
  (check: Check): Check =>
  (value, path) => {
    if (!isObject(value)) wrong(path, 'an object');
    for (const [name, item] of Object.entries(value)) check(item, `${path}.${name}`);
  };

const object =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, path) => {
    if (!isObject(value)) wrong(path || 'content', 'an object');
    for (const [name, check] of Object.entries(fields)) check(value[name], path ? `${path}.${name}` : name);
  };

const event: Check = (value, path) => {
  const times = { start: amount, end: amount };
  const kind = isObject(value) ? value.kind : undefined;
  if (kind === 'transfer') {
    const consumer: Check = (operator, at) => (operator === null ? undefined : whole(operator, at));
    object({ tensor: text, operator: consumer, from: text, to: text, bytes: whole, ...times })(value, path);
  } else if (kind === 'compute' || kind === 'reduce') {
    object({ operator: whole, device: text, ...times })(value, path);
  } else {
    wrong(`${path}.kind`, 'compute, reduce or transfer');
  }
};

const partition: Check = object({
  dimension: oneOf('none', 'H', 'W', 'C', 'K'),
  axis: integer,
  shards: list(
    object({
      device: text,
      start: whole,
      end: whole,
      computeStart: optional(whole),
      computeEnd: optional(whole),
    }),
  ),
  reduceOn: optional(text),
});

const planShape: Check = object({
  model: object({ file: text, bytes: whole, structureSha256: text, sha256: text, bindings: record(whole) }),
  cluster: object({
    name: text,
    devices: list(
      object({
        name: text,
        memory: amount,
        baseMemory: amount,
        compute: amount,
        memoryBandwidth: optional(amount),
        operatorOverhead: amount,
        efficiency: optional(record(amount)),
      }),
    ),
    network: object({
      kind: oneOf('switched', 'shared'),
      bandwidth: amount,
      latency: amount,
      links: list(object({ from: text, to: text, bandwidth: optional(amount), latency: optional(amount) })),
    }),
    source: text,
    sink: text,
  }),
  options: object({
    seed: whole,
    evaluations: whole,
    latency: oneOf('overlapped', 'synchronous'),
    strategy: oneOf('hybrid', 'horizontal', 'vertical'),
    order: optional(oneOf('btsearch', 'free')),
    inPlace: oneOf('none', 'elementwise'),
    fuse: oneOf('none', 'conv'),
  }),
  stopped: optional(oneOf('time', 'memory', 'cancel')),
  order: object({
    status: oneOf('optimal', 'feasible'),
    peakBytes: whole,
    lowerBoundBytes: whole,
    arenaBytes: whole,
    weightBytes: whole,
    steps: list(whole),
    baselines: record(object({ peakBytes: amount })),
  }),
  tensors: list(
    object({
      name: text,
      type: text,
      shape: list(whole),
      bytes: whole,
      storage: whole,
      firstStep: whole,
      lastStep: whole,
      offset: whole,
    }),
  ),
  operators: list(
    object({
      index: whole,
      name: text,
      type: text,
      step: whole,
      flops: whole,
      weightBytes: whole,
      members: optional(list(whole)),
      body: optional(object({ bytes: whole, offset: whole })),
      partition,
    }),
  ),
  devices: list(
    object({
      name: text,
      limitBytes: amount,
      peakBytes: amount,
      peakStep: whole,
      weightBytes: whole,
      busySeconds: amount,
    }),
  ),
  latency: object({
    model: oneOf('overlapped', 'synchronous'),
    seconds: amount,
    lowerBoundSeconds: amount,
    boundMethod: text,
    baselines: record(object({ seconds: amount, valid: flag, partitions: optional(list(whole)) })),
    baselinePartitions: optional(list(partition)),
    baselineSteps: optional(list(whole)),
  }),
  timeline: list(event),
});
