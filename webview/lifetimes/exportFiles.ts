import type { DeviceHoldings, OrderMemory, ViewGraph } from '../../src/protocol/webview';
import type { PlanIndex } from '../plan/planIndex';
import { tensorRows } from './rows';

/** What the files are made of. */
export interface ExportSource {
  readonly fileName: string;
  readonly graph: ViewGraph;
  readonly memory: OrderMemory;
  readonly plan: PlanIndex | null;
  /** Per device of the plan, where it has been asked for. */
  readonly holdings: readonly DeviceHoldings[] | null;
}

const COLUMNS = [
  ...['tensor', 'kind', 'type', 'shape', 'bytes', 'firstStep', 'lastStep', 'offset'],
  ...['producer', 'lastReader', 'devices'],
] as const;

/** RFC 4180; sizes that are not known and places that do not exist are empty. */
export function csvOf(source: ExportSource): string {
  const lines = tensorRows(source.graph, source.memory, source.plan).map((row) => {
    const { producer, lastReader, devices } = row;
    const number = (value: number): string => (Number.isNaN(value) || value < 0 ? '' : String(value));
    return [
      ...[row.name, row.kind, row.type, row.shape, number(row.bytes)],
      ...[number(row.firstStep), number(row.lastStep), number(row.offset)],
      ...[operatorName(source.graph, producer), operatorName(source.graph, lastReader), devices.join(' ')],
    ];
  });
  return [COLUMNS as readonly string[], ...lines].map((line) => `${line.map(quoted).join(',')}\r\n`).join('');
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The same rows with the figures of the order, and what every device holds in seconds where that is known. */
export function jsonOf({ fileName, graph, memory, plan, holdings }: ExportSource): string {
  const known = (value: number): number | null => (Number.isNaN(value) || value < 0 ? null : value);
  const tensors = tensorRows(graph, memory, plan).map((row) => ({
    ...{ name: row.name, kind: row.kind, type: row.type, shape: row.shape, bytes: known(row.bytes) },
    ...{ firstStep: known(row.firstStep), lastStep: known(row.lastStep), offset: known(row.offset) },
    producer: operatorName(graph, row.producer),
    lastReader: operatorName(graph, row.lastReader),
    devices: row.devices,
  }));
  const steps = Array.from(memory.operators, (op, step) => ({
    operator: operatorName(graph, op),
    liveBytes: memory.liveBytes[step],
    body: plan?.operator(op)?.body,
  }));
  const devices = holdings?.map(({ baseBytes, weightBytes, storages, bytes, from, to }, device) => ({
    ...{ name: plan!.deviceNames[device], baseBytes, weightBytes },
    regions: Array.from(storages, (storage, i) => ({
      tensor: graph.tensors.names[graph.tensors.storages.indexOf(storage)] ?? null,
      ...{ bytes: bytes[i], from: from[i], to: to[i] },
    })),
  }));
  const { peakBytes, peakStep, known: isKnown, inPlace } = memory;
  const value = {
    ...{ model: fileName, peakBytes, peakStep, isKnown, inPlace, steps, tensors },
    ...(devices && { devices }),
  };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

interface Metric {
  readonly kind: 'node' | 'value' | 'model';
  readonly target: string;
  readonly name: string;
  readonly value: string | number;
}

/**
 * Netron's attachment: open it beside the model, and the sidebar shows these of each node and value. Netron finds
 * both by name and takes no names with line breaks.
 */
export function netronAttachment({ fileName, graph, memory, plan }: ExportSource): string {
  const metrics: Metric[] = [
    { kind: 'model', target: '', name: 'activation peak (bytes)', value: memory.peakBytes },
  ];
  const isTarget = (name: string): boolean => name !== '' && !name.includes('\n');
  memory.operators.forEach((op, step) => {
    const target = graph.operators.names[op] ?? '';
    if (!isTarget(target)) return;
    const add = (name: string, value: string | number): void =>
      void metrics.push({ kind: 'node', target, name, value });
    add('step', step);
    add('live at its step (bytes)', memory.liveBytes[step]);
    const found = plan?.operator(op);
    if (plan === null || found === undefined) return;
    add('partition', found.partition.dimension);
    add('devices', found.partition.shards.map((s) => `${s.device} ${s.start}-${s.end}`).join(', '));
    add('compute time (s)', plan.computeSeconds(op));
  });
  for (const row of tensorRows(graph, memory, plan)) {
    if (!isTarget(row.name) || row.firstStep < 0) continue;
    const add = (name: string, value: number): void =>
      void (Number.isNaN(value) || metrics.push({ kind: 'value', target: row.name, name, value }));
    add('size (bytes)', row.bytes);
    add('lives from step', row.firstStep);
    add('lives to step', row.lastStep);
    if (row.offset >= 0) add('address in the arena', row.offset);
  }
  const metadata = [{ kind: 'model', target: '', name: 'memory by', value: `MemoriaNova for ${fileName}` }];
  return `${JSON.stringify({ signature: 'netron:attachment', metadata, metrics }, undefined, 2)}\n`;
}

/** Model Explorer's node data: live memory at each operator's step, by the name of what the operator makes. */
export function modelExplorerData({ graph, memory }: ExportSource): string {
  const results: Record<string, { readonly value: number }> = {};
  const { firstOutput, outputs } = graph.operators;
  memory.operators.forEach((op, step) => {
    const output = graph.tensors.names[outputs[firstOutput[op]]];
    if (output !== undefined) results[output] = { value: memory.liveBytes[step] };
  });
  const gradient = [
    { stop: 0, bgColor: '#e8f1fb' },
    { stop: 0.6, bgColor: '#f5c542' },
    { stop: 1, bgColor: '#d9363e' },
  ];
  return `${JSON.stringify({ name: 'Live memory (bytes)', results, gradient }, undefined, 2)}\n`;
}

function operatorName({ operators }: ViewGraph, op: number): string {
  if (op < 0) return '';
  return operators.names[op] || `${operators.typeNames[operators.types[op]]} ${operators.nodes[op]}`;
}
