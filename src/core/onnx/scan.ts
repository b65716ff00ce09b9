import { InputError, type Problem } from '../graph/problem';
import { Cursor } from './cursor';
import type { ByteSource } from './model';
import { GrowingBytes } from './growingBytes';
import { CODE, fieldCode, isNewerField, KIND, MESSAGE, MESSAGE_NAMES, type MessageKind } from './schema';
import { PayloadRecorder, type TensorPayload } from './payloads';

/**
 * Walks a model file without recursion and makes the payload-free copy that the decoders get: every record that
 * onnx.proto knows, except the bytes of weights, which are not even read. Lengths are rewritten as five-byte
 * varints, so that they can be set when a message is complete. In each `TensorProto` a four-byte `raw_data`
 * takes the place of all payload fields: the tensor's position in `payloads`.
 *
 * After it: nesting is at most `DEEPEST_NESTING`, every length stays inside its message, every record in the copy
 * has the wire type of its field, and the number of messages is bounded. Nothing else is checked here.
 */
export interface Scan {
  readonly copy: Uint8Array;
  readonly payloads: readonly TensorPayload[];
  readonly hasNewerFields: boolean;
  readonly problems: readonly Problem[];
  /** SHA-256 of the file without weight payloads; small constants that shapes may depend on are covered. */
  readonly structureSha256: string;
}

/** Messages in messages: a subgraph takes three levels, so about 130 subgraphs fit; no exporter comes near. */
export const DEEPEST_NESTING = 400;
/** A graph of 100,000 operators has about a million messages; each costs the decoder some hundred bytes. */
const MOST_MESSAGES = 6_000_000;
/** Structure alone, weights not counted. */
const LARGEST_STRUCTURE = 1 << 29;

const LONGEST_TEXT = 1 << 20;

/** Damage of one kind tends to repeat. */
const MOST_PROBLEMS = 20;

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const LARGEST_FIELD = 0x1fffffff;
const RAW_DATA_TAG = (9 << 3) | WIRE.bytes;

interface Frame {
  readonly kind: MessageKind;
  readonly end: number;
  /** Where in the copy its length goes; -1 for the model itself. */
  readonly lengthAt: number;
  /** Nodes seen in it so far, to say "node 17". */
  nodes: number;
}

export function scanModel(source: ByteSource): Scan {
  return new Scanner(source).run();
}

class Scanner {
  private readonly cursor: Cursor;
  private readonly out = new GrowingBytes(LARGEST_STRUCTURE);
  private readonly stack: Frame[] = [];
  private readonly recorder = new PayloadRecorder();
  private frame: Frame;
  private readonly problems: Problem[] = [];
  private messages = 0;
  private hasNewerFields = false;

  constructor(source: ByteSource) {
    this.cursor = new Cursor(source);
    this.frame = { kind: KIND.ModelProto, end: source.size, lengthAt: -1, nodes: 0 };
  }

  run(): Scan {
    for (;;) {
      while (this.cursor.position === this.frame.end) {
        if (this.stack.length === 0) return this.finish();
        this.closeMessage();
      }
      this.field();
    }
  }

  private finish(): Scan {
    return {
      copy: this.out.bytes(),
      payloads: this.recorder.payloads,
      hasNewerFields: this.hasNewerFields,
      problems: this.problems,
      structureSha256: this.cursor.digest(),
    };
  }

  private field(): void {
    const at = this.cursor.position;
    const tag = this.cursor.varint();
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (field === 0 || field > LARGEST_FIELD) throw this.damaged(at, 'a record that no protobuf file has');
    const length = this.recordLength(wire, at);
    const { kind } = this.frame;
    const code = fieldCode(kind, field);
    if (code === CODE.unknown) this.skipUnknown(wire, length, at);
    else if (!hasExpectedWire(code, wire, field)) this.skipMistyped(field, wire, length, at);
    else if (code >= MESSAGE) this.openMessage(code - MESSAGE, field, length, at);
    else if (code === CODE.payload) this.payload(field, wire, at, length);
    else if (wire === WIRE.varint) this.copyNumber(tag, field, at);
    else this.copyBytes(tag, code, field, wire, length, at);
    if (isNewerField(kind, field)) this.hasNewerFields = true;
  }

  /** Length of the record's content, which lies at the cursor; 0 for a varint, which measures itself. */
  private recordLength(wire: number, at: number): number {
    let length = 0;
    if (wire === WIRE.bytes) length = this.cursor.varint();
    else if (wire === WIRE.fixed32) length = 4;
    else if (wire === WIRE.fixed64) length = 8;
    else if (wire !== WIRE.varint)
      throw this.damaged(at, `a record of wire type ${wire}, which ONNX does not use`);
    const room = this.frame.end - this.cursor.position;
    if (length > room) {
      if (this.stack.length === 0) throw cutOff(at, length, Math.max(0, room));
      throw this.damaged(
        at,
        `a record of ${length} bytes where the message around it has ${Math.max(0, room)} left`,
      );
    }
    return length;
  }

  private skipUnknown(wire: number, length: number, at: number): void {
    if (wire !== WIRE.varint) this.cursor.skipHashed(length);
    else this.readNumber(at);
  }

  /** As protobuf's own parsers do; a sound writer never makes such a record. */
  private skipMistyped(field: number, wire: number, length: number, at: number): void {
    if (this.problems.length < MOST_PROBLEMS) {
      const message =
        `The file is damaged: field ${field} of ${this.where()}, at byte ${at}, is written as wire type ${wire}, ` +
        'which it cannot have, and was left out.';
      this.problems.push({ severity: 'error', message, offset: at });
    }
    this.skipUnknown(wire, length, at);
  }

  private readNumber(at: number): void {
    this.cursor.varint();
    this.checkNumberEnd(at);
  }

  private checkNumberEnd(at: number): void {
    if (this.cursor.position > this.frame.end)
      throw this.damaged(at, 'a number that runs over the end of its message');
  }

  private copyNumber(tag: number, field: number, at: number): void {
    this.out.varint(tag);
    const value = this.cursor.copyVarint(this.out);
    this.checkNumberEnd(at);
    if (this.frame.kind !== KIND.TensorProto) return;
    if (field === 1) this.recorder.dim(value);
    else if (field === 2) this.recorder.elementType(value);
  }

  private copyBytes(
    tag: number,
    code: number,
    field: number,
    wire: number,
    length: number,
    at: number,
  ): void {
    const { out } = this;
    if (this.frame.kind === KIND.AttributeProto && code === CODE.bytes && length > LONGEST_TEXT) {
      this.leaveOut(tag, length);
      return;
    }
    out.varint(tag);
    if (wire === WIRE.bytes) out.varint(length);
    const from = out.length;
    out.reserve(length);
    this.cursor.copy(length, out.buffer, from);
    out.length = from + length;
    if (code === CODE.bytes || wire !== WIRE.bytes) return;
    this.checkPacked(code, from, length, at);
    if (this.frame.kind === KIND.TensorProto && field === 1) this.packedDims(from);
  }

  /** A text attribute of such a size is a compiled engine or a vocabulary: it stays on disk, as weights do. */
  private leaveOut(tag: number, length: number): void {
    const note = new TextEncoder().encode(`(${length} bytes, not read)`);
    this.cursor.skipUnread(length);
    this.out.varint(tag);
    this.out.varint(note.length);
    for (const byte of note) this.out.byte(byte);
  }

  private checkPacked(code: number, from: number, length: number, at: number): void {
    const unit = code === CODE.fixed32s ? 4 : code === CODE.fixed64s ? 8 : 1;
    const unfinished = code === CODE.varints && length > 0 && this.out.buffer[from + length - 1] >= 0x80;
    if (length % unit !== 0 || unfinished)
      throw this.damaged(at, `a list of numbers cut off after ${length} bytes`);
  }

  private packedDims(from: number): void {
    const { buffer, length } = this.out;
    for (let at = from; at < length;) {
      let value = 0;
      let scale = 1;
      for (; buffer[at] >= 0x80; at++, scale *= 128) value += (buffer[at] & 0x7f) * scale;
      value += buffer[at++] * scale;
      this.recorder.dim(value >= 2 ** 63 ? value - 2 ** 64 : value);
    }
  }

  private payload(field: number, wire: number, at: number, length: number): void {
    const from = this.cursor.position;
    if (wire === WIRE.varint) this.readNumber(at);
    else this.cursor.skipUnread(length);
    this.recorder.payload(field, at, from, this.cursor.position);
  }

  private openMessage(kind: MessageKind, field: number, length: number, at: number): void {
    if (this.stack.length >= DEEPEST_NESTING) {
      throw this.damaged(
        at,
        `messages nested over ${DEEPEST_NESTING} levels deep (graphs in graphs?): too deep`,
      );
    }
    if (++this.messages > MOST_MESSAGES) throw this.damaged(at, `over ${MOST_MESSAGES} messages: too many`);
    this.out.varint(field * 8 + WIRE.bytes);
    const lengthAt = this.out.reserveVarint();
    if (kind === KIND.NodeProto) this.frame.nodes++;
    this.stack.push(this.frame);
    this.frame = { kind, end: this.cursor.position + length, lengthAt, nodes: 0 };
    if (kind === KIND.TensorProto) this.recorder.begin();
  }

  private closeMessage(): void {
    const { frame, out } = this;
    if (frame.kind === KIND.TensorProto) {
      const index = this.recorder.finish((offset, length) => this.cursor.readBack(offset, length));
      out.varint(RAW_DATA_TAG);
      out.varint(4);
      out.uint32(index);
    }
    out.setVarint(frame.lengthAt, out.length - frame.lengthAt - 5);
    this.frame = this.stack.pop()!;
  }

  /** `The file is damaged at byte 120 (in node 3): it has a ... .` */
  private damaged(at: number, what: string): InputError {
    return new InputError(`The model is damaged at byte ${at} (in ${this.where()}): it has ${what}.`, at);
  }

  /** The innermost node, or the kind of message where there is none. */
  private where(): string {
    const frames = [...this.stack, this.frame];
    const name = MESSAGE_NAMES[this.frame.kind];
    const path: string[] = [];
    frames.forEach((frame, i) => {
      if (frame.kind === KIND.NodeProto) path.push(`node ${frames[i - 1].nodes - 1}`);
    });
    return path.length > 0 ? `${name} of ${path.join(' > ')}` : name;
  }
}

function hasExpectedWire(code: number, wire: number, field: number): boolean {
  if (wire === expectedWire(code, field)) return true;
  const packable = (code >= CODE.varints && code <= CODE.fixed64s) || code === CODE.payload;
  return packable && wire === WIRE.bytes;
}

function expectedWire(code: number, field: number): number {
  if (code === CODE.payload) return unpackedPayloadWire(field);
  if (code === CODE.varint || code === CODE.varints) return WIRE.varint;
  if (code === CODE.fixed32 || code === CODE.fixed32s) return WIRE.fixed32;
  if (code === CODE.fixed64 || code === CODE.fixed64s) return WIRE.fixed64;
  return WIRE.bytes;
}

function cutOff(at: number, length: number, room: number): InputError {
  return new InputError(
    `The file is cut off: its part from byte ${at} on needs ${length} bytes, but ${room} are left.`,
    at,
  );
}

/** How one element of `float_data`, `int32_data`, ... is written where the field is not packed. */
function unpackedPayloadWire(field: number): number {
  if (field === 4) return WIRE.fixed32;
  if (field === 10) return WIRE.fixed64;
  return field === 6 || field === 9 ? WIRE.bytes : WIRE.varint;
}
