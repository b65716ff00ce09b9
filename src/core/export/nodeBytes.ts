import type { AttributeValue } from '../graph/attributes';
import { ATTRIBUTE, ATTRIBUTE_KIND, ENTRY, GRAPH, NODE } from './fields';
import { bytesText, int64, MessageWriter, records } from './wire';

/** What a written node says beside its computation. */
export interface NodeNotes {
  readonly metadata?: ReadonlyMap<string, string>;
  /** Encoded `NodeDeviceConfigurationProto`. */
  readonly configuration?: Uint8Array;
}

export interface NodeEnds {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** A new node of `ai.onnx`, as a record of the graph. */
export function newNode(
  type: string,
  ends: NodeEnds,
  attributes: ReadonlyMap<string, AttributeValue>,
  notes: NodeNotes = {},
): Uint8Array {
  const message = new MessageWriter();
  writeEnds(message, ends);
  message.text(NODE.type, type);
  for (const [name, value] of attributes) writeAttribute(message, name, value);
  writeNotes(message, notes);
  return new MessageWriter().message(GRAPH.node, message).finish();
}

/**
 * A node's own bytes with other ends, some attributes replaced (an empty list removes one) and notes added;
 * everything else, unknown fields too, as it was. `body` is the node message without tag and length.
 */
export function rewrittenNode(
  body: Uint8Array,
  ends: NodeEnds,
  attributes: ReadonlyMap<string, AttributeValue>,
  notes: NodeNotes = {},
): Uint8Array {
  const message = new MessageWriter();
  writeEnds(message, ends);
  for (const record of records(body)) {
    const bytes = body.subarray(record.start, record.end);
    if (record.field === NODE.input || record.field === NODE.output || record.field === NODE.name) continue;
    if (record.field === NODE.deviceConfigurations && notes.configuration !== undefined) continue;
    if (
      record.field === NODE.attribute &&
      attributes.has(attributeName(body.subarray(record.valueStart, record.end)))
    )
      continue;
    message.raw(bytes);
  }
  for (const [name, value] of attributes) writeAttribute(message, name, value);
  writeNotes(message, notes);
  return new MessageWriter().message(GRAPH.node, message).finish();
}

function attributeName(body: Uint8Array): string {
  for (const record of records(body))
    if (record.field === ATTRIBUTE.name) return bytesText(body.subarray(record.valueStart, record.end));
  return '';
}

function writeEnds(message: MessageWriter, ends: NodeEnds): void {
  for (const input of ends.inputs) message.text(NODE.input, input);
  for (const output of ends.outputs) message.text(NODE.output, output);
  message.text(NODE.name, ends.name);
}

function writeNotes(message: MessageWriter, notes: NodeNotes): void {
  for (const [key, value] of notes.metadata ?? []) message.message(NODE.metadata, entry(key, value));
  if (notes.configuration !== undefined) message.bytes(NODE.deviceConfigurations, notes.configuration);
}

export function entry(key: string, value: string): MessageWriter {
  return new MessageWriter().text(ENTRY.key, key).text(ENTRY.value, value);
}

function writeAttribute(message: MessageWriter, name: string, value: AttributeValue): void {
  const body = new MessageWriter().text(ATTRIBUTE.name, name);
  if (value.kind === 'int') body.int(ATTRIBUTE.int, value.value).int(ATTRIBUTE.kind, ATTRIBUTE_KIND.int);
  else if (value.kind === 'float')
    body.float(ATTRIBUTE.float, value.value).int(ATTRIBUTE.kind, ATTRIBUTE_KIND.float);
  else if (value.kind === 'string')
    body.text(ATTRIBUTE.string, value.value).int(ATTRIBUTE.kind, ATTRIBUTE_KIND.string);
  else if (value.kind === 'ints') {
    if (value.value.length === 0) return;
    for (const one of value.value) body.int(ATTRIBUTE.ints, int64(one));
    body.int(ATTRIBUTE.kind, ATTRIBUTE_KIND.ints);
  } else throw new Error(`attribute ${name}: a rule does not write values of kind ${value.kind}`);
  message.message(NODE.attribute, body);
}
