import { onnx } from 'onnx-proto';
import { buildGraph } from '../../src/core/analysis/buildGraph';
import { InputError } from '../../src/core/graph/problem';
import type { Random } from '../../src/core/graph/random';
import { MemoryByteSource } from '../../src/core/onnx/byteSources';
import { readModel } from '../../src/core/onnx/readModel';
import { inferShapes } from '../../src/core/shape/inferShapes';

/** Larger files are mutated as bytes only: decoding and encoding them would take all the time. */
const LARGEST_DECODED = 100_000;

/** Reads, infers and builds; true where the file was accepted. Throws what is not a refusal: a bug. */
export function survives(bytes: Uint8Array): boolean {
  try {
    const model = readModel(new MemoryByteSource(bytes));
    const shapes = inferShapes(model, { bindings: new Map() });
    buildGraph(model, shapes, { fuse: 'none' });
    buildGraph(model, shapes, { fuse: 'conv' });
    return true;
  } catch (error) {
    if (error instanceof InputError && error.message.length > 10 && error.message.length < 2000) return false;
    throw error;
  }
}

/** One to four mutations of a file: of its bytes, or (half of the time, if it is small) of its messages. */
export function mutate(bytes: Uint8Array, random: Random, opTypes: readonly string[]): Uint8Array {
  let mutant: Uint8Array = Uint8Array.from(bytes);
  for (let left = 1 + random.below(4); left > 0; left--) {
    const decoded = random.below(2) === 0 && mutant.length <= LARGEST_DECODED ? tryDecode(mutant) : undefined;
    if (decoded === undefined) mutant = BYTE_MUTATIONS[random.below(BYTE_MUTATIONS.length)](mutant, random);
    else {
      MESSAGE_MUTATIONS[random.below(MESSAGE_MUTATIONS.length)](decoded, random, opTypes);
      mutant = onnx.ModelProto.encode(decoded).finish();
    }
  }
  return mutant;
}

function tryDecode(bytes: Uint8Array): onnx.ModelProto | undefined {
  try {
    const model = onnx.ModelProto.decode(bytes);
    return model.graph?.node?.length ? model : undefined;
  } catch {
    return undefined;
  }
}

type ByteMutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const BYTE_MUTATIONS: readonly ByteMutation[] = [
  function flipBit(bytes, random) {
    if (bytes.length > 0) bytes[random.below(bytes.length)] ^= 1 << random.below(8);
    return bytes;
  },
  function setByte(bytes, random) {
    const values = [0, 1, 0x7f, 0x80, 0xff, random.below(256)];
    if (bytes.length > 0) bytes[random.below(bytes.length)] = values[random.below(values.length)];
    return bytes;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function cutOut(bytes, random) {
    const from = random.below(bytes.length + 1);
    return concat(bytes.subarray(0, from), bytes.subarray(from + random.below(64)));
  },
  function repeat(bytes, random) {
    const from = random.below(bytes.length + 1);
    const to = Math.min(bytes.length, from + random.below(256));
    return concat(bytes.subarray(0, to), bytes.subarray(from));
  },
  function hugeVarint(bytes, random) {
    const at = random.below(bytes.length + 1);
    const count = 1 + random.below(9);
    const varint = Uint8Array.from({ length: count + 1 }, (_, i) => (i === count ? random.below(128) : 0xff));
    return concat(concat(bytes.subarray(0, at), varint), bytes.subarray(at + 1));
  },
  function changeLength(bytes, random) {
    const tags = [0x0a, 0x12, 0x2a, 0x32, 0x3a, 0x4a, 0x5a, 0x62];
    const found: number[] = [];
    for (let i = 0; i + 1 < bytes.length; i++) if (tags.includes(bytes[i])) found.push(i + 1);
    if (found.length > 0) bytes[found[random.below(found.length)]] += 1 + random.below(255);
    return bytes;
  },
  function nest(bytes, random) {
    const depth = 1 + random.below(400);
    let nested = bytes.subarray(0, 200);
    for (let i = 0; i < depth; i++) {
      for (const tag of [0x32, 0x2a, 0x0a]) nested = record(tag, nested);
    }
    return record(0x3a, nested);
  },
];

function record(tag: number, content: Uint8Array): Uint8Array {
  const length: number[] = [tag];
  let left = content.length;
  for (; left >= 0x80; left >>>= 7) length.push((left & 0x7f) | 0x80);
  length.push(left);
  return concat(Uint8Array.from(length), content);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

type MessageMutation = (model: onnx.ModelProto, random: Random, opTypes: readonly string[]) => void;

const NUMBERS = [
  0,
  1,
  -1,
  2,
  3,
  7,
  64,
  1000,
  2 ** 20,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 40,
  2 ** 53,
  -(2 ** 31),
  -(2 ** 62),
  2 ** 62,
];

const pick = <T>(from: readonly T[], random: Random): T => from[random.below(from.length)];
const number = (random: Random): number => pick(NUMBERS, random);
const anyNode = (model: onnx.ModelProto, random: Random): onnx.INodeProto => pick(model.graph!.node!, random);

function anyName(model: onnx.ModelProto, random: Random): string {
  const node = anyNode(model, random);
  return pick([...(node.input ?? []), ...(node.output ?? []), ''], random);
}

function anyDims(model: onnx.ModelProto, random: Random): onnx.TensorShapeProto.IDimension[] {
  const graph = model.graph!;
  const values = [...(graph.input ?? []), ...(graph.output ?? []), ...(graph.valueInfo ?? [])];
  return (values.length > 0 && pick(values, random).type?.tensorType?.shape?.dim) || [];
}

const MESSAGE_MUTATIONS: readonly MessageMutation[] = [
  function rewireInput(model, random) {
    const inputs = anyNode(model, random).input ?? [];
    if (inputs.length > 0) inputs[random.below(inputs.length)] = anyName(model, random);
  },
  function renameOutput(model, random) {
    const outputs = anyNode(model, random).output ?? [];
    if (outputs.length > 0) outputs[random.below(outputs.length)] = anyName(model, random);
  },
  function changeType(model, random, opTypes) {
    anyNode(model, random).opType = pick(opTypes, random);
  },
  function changeInputCount(model, random) {
    const inputs = anyNode(model, random).input ?? [];
    if (random.below(2) === 0) inputs.pop();
    else inputs.push(anyName(model, random));
  },
  function changeAttribute(model, random) {
    const attributes = anyNode(model, random).attribute ?? [];
    if (attributes.length === 0) return;
    const one = pick(attributes, random);
    if (one.ints?.length) one.ints[random.below(one.ints.length)] = number(random);
    else if (one.i !== undefined) one.i = number(random);
    else if (one.s?.length) one.s = new Uint8Array([random.below(256)]);
    else one.type = random.below(16);
  },
  function dropAttribute(model, random) {
    anyNode(model, random).attribute?.splice(0, 1);
  },
  function changeDimension(model, random) {
    const dims = anyDims(model, random);
    if (dims.length > 0) dims[random.below(dims.length)] = { dimValue: number(random) };
  },
  function changeRank(model, random) {
    const dims = anyDims(model, random);
    if (random.below(2) === 0) dims.pop();
    else dims.push(random.below(2) === 0 ? { dimParam: 'N' } : { dimValue: number(random) });
  },
  function changeTensor(model, random) {
    const tensors = model.graph!.initializer ?? [];
    if (tensors.length === 0) return;
    const one = pick(tensors, random);
    if (random.below(2) === 0) one.dataType = random.below(28);
    else if (one.dims?.length) one.dims[random.below(one.dims.length)] = number(random);
    else one.dims = [number(random), number(random)];
  },
  function changeValues(model, random) {
    const tensors = model.graph!.initializer ?? [];
    if (tensors.length === 0) return;
    const { rawData, int64Data } = pick(tensors, random);
    if (int64Data?.length) int64Data[random.below(int64Data.length)] = number(random);
    else if (rawData?.length) rawData[random.below(rawData.length)] = random.below(256);
  },
  function feedConstantShape(model, random) {
    const name = anyName(model, random);
    const values = Array.from({ length: 1 + random.below(6) }, () => number(random));
    (model.graph!.initializer ??= []).push({ name, dims: [values.length], dataType: 7, int64Data: values });
  },
  function dropNode(model, random) {
    model.graph!.node!.splice(random.below(model.graph!.node!.length), 1);
    if (model.graph!.node!.length === 0)
      model.graph!.node!.push({ opType: 'Relu', input: ['a'], output: ['b'] });
  },
  function shuffleNodes(model, random) {
    const nodes = model.graph!.node!;
    const [a, b] = [random.below(nodes.length), random.below(nodes.length)];
    [nodes[a], nodes[b]] = [nodes[b], nodes[a]];
  },
  function changeOpset(model, random) {
    for (const one of model.opsetImport ?? []) one.version = random.below(28);
  },
  function wrapInSubgraph(model, random) {
    const name = pick(['If', 'Loop', 'Scan', 'SequenceMap'], random);
    const attribute = { If: 'then_branch', Loop: 'body', Scan: 'body', SequenceMap: 'body' }[name]!;
    const graph = onnx.GraphProto.decode(onnx.GraphProto.encode(model.graph!).finish());
    anyNode(model, random).opType = name;
    anyNode(model, random).attribute = [{ name: attribute, type: 5, g: graph }];
  },
  function callFunction(model, random) {
    const node = anyNode(model, random);
    const { input, output } = node;
    const body = {
      name: 'F',
      domain: 'f',
      input,
      output,
      node: [anyNode(model, random), anyNode(model, random)],
    };
    (model.functions ??= []).push(onnx.FunctionProto.create({ ...body, opsetImport: model.opsetImport }));
    Object.assign(node, { opType: 'F', domain: 'f' });
  },
];
