import {
  CONFIGURATION,
  GRAPH,
  MODEL,
  NODE,
  NODE_CONFIGURATION,
  OPSET,
  SHARDED_DIM,
  SHARDING,
  SIMPLE_DIM,
} from './fields';
import type { ModelLayout, NodeLayout } from './modelLayout';
import { BYTES, bytesText, readSignedVarint, readVarint, records } from './wire';

/**
 * What is wrong with a model file, as sentences; empty for a good one. The rules of ONNX's checker that a
 * splice can break (single assignment, topological order, names that exist, imports) and those of multi-device
 * annotations, which ONNX's checker does not look at.
 */
export function validateModel(layout: ModelLayout): string[] {
  const configurations = readConfigurations(layout);
  return [
    ...checkImports(layout),
    ...checkGraph(layout),
    ...configurations.problems,
    ...layout.nodes.flatMap((node) => checkAnnotations(layout, node, configurations.deviceCounts)),
  ];
}

function checkImports(layout: ModelLayout): string[] {
  const domains = new Set<string>();
  const problems: string[] = [];
  for (const body of bodies(layout, MODEL.opsetImport)) {
    const domain = textOf(body, OPSET.domain) || 'ai.onnx';
    if (domains.has(domain)) problems.push(`domain ${domain} is imported twice`);
    domains.add(domain);
  }
  for (const node of layout.nodes) {
    const domain = node.domain || 'ai.onnx';
    if (!domains.has(domain))
      problems.push(`node "${node.name}" is of domain ${domain}, which is not imported`);
  }
  return problems;
}

/** Larger nodes hold a weight: no export annotates those. */
const LARGEST_ANNOTATED = 1 << 20;

function checkGraph(layout: ModelLayout): string[] {
  const problems: string[] = [];
  const defined = new Set<string>(layout.initializers.keys());
  for (const { name } of layout.inputs) {
    if (defined.has(name) && !layout.initializers.has(name))
      problems.push(`input "${name}" is declared twice`);
    defined.add(name);
  }
  for (const { body } of graphBodies(layout, GRAPH.sparseInitializer))
    defined.add(textOf(textBody(body, 1), 8));
  const nodeNames = new Set<string>();
  for (const node of layout.nodes) {
    if (node.name !== '' && nodeNames.has(node.name)) problems.push(`two nodes are called "${node.name}"`);
    nodeNames.add(node.name);
    for (const input of node.inputs)
      if (input !== '' && !defined.has(input))
        problems.push(`node "${node.name}" reads "${input}" before anything makes it`);
    for (const output of node.outputs) {
      if (output !== '' && defined.has(output))
        problems.push(`"${output}" is made twice, again by node "${node.name}"`);
      defined.add(output);
    }
  }
  for (const { name } of layout.outputs)
    if (!defined.has(name)) problems.push(`nothing makes output "${name}"`);
  return problems;
}

interface Configurations {
  readonly deviceCounts: ReadonlyMap<string, number>;
  readonly problems: readonly string[];
}

const FIRST_IR_WITH_CONFIGURATIONS = 11;

function readConfigurations(layout: ModelLayout): Configurations {
  const deviceCounts = new Map<string, number>();
  const problems: string[] = [];
  for (const body of bodies(layout, MODEL.configuration)) {
    const name = textOf(body, CONFIGURATION.name);
    const count = numbersOf(body, CONFIGURATION.deviceCount)[0] ?? 0;
    const devices = textsOf(body, CONFIGURATION.device);
    if (name === '') problems.push('a device configuration has no name');
    if (deviceCounts.has(name)) problems.push(`two device configurations are called "${name}"`);
    if (devices.length > 0 && devices.length !== count)
      problems.push(`configuration "${name}" says ${count} devices and names ${devices.length}`);
    if (new Set(devices).size !== devices.length)
      problems.push(`configuration "${name}" names a device twice`);
    deviceCounts.set(name, count);
  }
  const version = layout.records.find((record) => record.field === MODEL.irVersion);
  const ir =
    version === undefined
      ? 0
      : readVarint(layout.source.read(version.valueStart, version.end - version.valueStart), 0)[0];
  if (deviceCounts.size > 0 && ir < FIRST_IR_WITH_CONFIGURATIONS)
    problems.push(`IR version ${ir} has no device configurations`);
  return { deviceCounts, problems };
}

function checkAnnotations(
  layout: ModelLayout,
  node: NodeLayout,
  deviceCounts: ReadonlyMap<string, number>,
): string[] {
  const { valueStart, end } = node.record;
  if (end - valueStart > LARGEST_ANNOTATED) return [];
  const body = layout.source.read(valueStart, end - valueStart);
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const configuration of messagesOf(body, NODE.deviceConfigurations)) {
    const name = textOf(configuration, NODE_CONFIGURATION.configuration);
    const count = deviceCounts.get(name);
    if (count === undefined)
      problems.push(`node "${node.name}" refers to configuration "${name}", which the model does not have`);
    if (seen.has(name)) problems.push(`node "${node.name}" is annotated twice for configuration "${name}"`);
    seen.add(name);
    for (const spec of messagesOf(configuration, NODE_CONFIGURATION.sharding))
      problems.push(...checkSharding(node, spec, count ?? Infinity));
  }
  return problems;
}

function checkSharding(node: NodeLayout, spec: Uint8Array, deviceCount: number): string[] {
  const problems: string[] = [];
  const tensor = textOf(spec, SHARDING.tensor);
  const at = `node "${node.name}", tensor "${tensor}"`;
  if (!node.inputs.includes(tensor) && !node.outputs.includes(tensor))
    problems.push(`${at}: the node neither reads nor makes it`);
  const devices = numbersOf(spec, SHARDING.device);
  const groups = new Set(messagesOf(spec, SHARDING.groups).map((group) => numbersOf(group, 1)[0] ?? 0));
  for (const device of devices) {
    const isDevice = device >= 0 && device < deviceCount;
    if (!isDevice && !groups.has(device))
      problems.push(`${at}: device ${device} is not in the configuration`);
  }
  let parts = 1;
  const axes = new Set<number>();
  for (const dim of messagesOf(spec, SHARDING.dims)) {
    const axis = numbersOf(dim, SHARDED_DIM.axis)[0] ?? 0;
    if (axes.has(axis)) problems.push(`${at}: axis ${axis} is cut twice`);
    axes.add(axis);
    for (const simple of messagesOf(dim, SHARDED_DIM.simple)) {
      const shards = numbersOf(simple, SIMPLE_DIM.shards)[0] ?? 0;
      const length = numbersOf(simple, SIMPLE_DIM.value)[0];
      if (shards < 1) problems.push(`${at}: axis ${axis} is cut into ${shards} parts`);
      if (length !== undefined && length % Math.max(1, shards) !== 0)
        problems.push(`${at}: ${length} elements of axis ${axis} cannot be cut into ${shards} equal parts`);
      parts *= Math.max(1, shards);
    }
  }
  if (parts > 1 && parts !== devices.length)
    problems.push(`${at}: ${parts} parts for ${devices.length} devices`);
  return problems;
}

function bodies(layout: ModelLayout, field: number): Uint8Array[] {
  return layout.records
    .filter((record) => record.field === field)
    .map((record) => layout.source.read(record.valueStart, record.end - record.valueStart));
}

function graphBodies(layout: ModelLayout, field: number): { body: Uint8Array }[] {
  return layout.graphRecords
    .filter((record) => record.field === field)
    .map((record) => ({ body: layout.source.read(record.valueStart, record.end - record.valueStart) }));
}

function messagesOf(body: Uint8Array, field: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const record of records(body))
    if (record.field === field) found.push(body.subarray(record.valueStart, record.end));
  return found;
}

function textBody(body: Uint8Array, field: number): Uint8Array {
  return messagesOf(body, field)[0] ?? new Uint8Array(0);
}

function textsOf(body: Uint8Array, field: number): string[] {
  return messagesOf(body, field).map(bytesText);
}

function textOf(body: Uint8Array, field: number): string {
  return textsOf(body, field)[0] ?? '';
}

/** Integers of a field, packed or not. */
function numbersOf(body: Uint8Array, field: number): number[] {
  const found: number[] = [];
  for (const record of records(body)) {
    if (record.field !== field) continue;
    if (record.wireType !== BYTES) found.push(Number(readSignedVarint(body, record.valueStart)[0]));
    else
      for (let at = record.valueStart; at < record.end;) {
        const [value, next] = readSignedVarint(body, at);
        found.push(Number(value));
        at = next;
      }
  }
  return found;
}
