import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { onnx } from 'onnx-proto';
import { Writer } from 'protobufjs/minimal.js';
import { node, value } from './onnxFile';

/**
 * Writes a chain of `layers` products with square weights inside the file. The weights are holes: the file is as
 * large as with them and takes no room on disk. With `withWeights` false the same model without its payloads.
 */
export function writeSparseModel(path: string, layers: number, width: number, withWeights: boolean): number {
  const payload = withWeights ? width * width * 4 : 0;
  const nodes = Array.from({ length: layers }, (_, i) => [
    node('MatMul', `t${i} w${i}`, `m${i}`),
    node('Relu', `m${i}`, `t${i + 1}`),
  ]).flat();
  const head = onnx.GraphProto.encode({
    node: nodes,
    input: [value('t0', [1, width])],
    output: [value(`t${layers}`, [1, width])],
  }).finish();
  const heads = Array.from({ length: layers }, (_, i) => weightHead(`w${i}`, width, payload));
  const graphLength = heads.reduce((sum, bytes) => sum + bytes.length + payload, head.length);
  const opset = onnx.OperatorSetIdProto.encode({ domain: '', version: 17 }).finish();
  const start = new Writer()
    .uint32(0x08)
    .int64(8)
    .uint32(0x42)
    .bytes(opset)
    .uint32(0x3a)
    .uint32(graphLength)
    .finish();
  const file = openSync(path, 'w');
  try {
    let at = writeSync(file, start, 0, start.length, 0);
    at += writeSync(file, head, 0, head.length, at);
    for (const bytes of heads) at += writeSync(file, bytes, 0, bytes.length, at) + payload;
    ftruncateSync(file, at);
    return at;
  } finally {
    closeSync(file);
  }
}

/** An initializer up to where its raw data begins. */
function weightHead(name: string, width: number, payload: number): Uint8Array {
  const tensor = new Writer().uint32(0x08).int64(width).uint32(0x08).int64(width).uint32(0x10).int32(1);
  tensor.uint32(0x42).string(name);
  if (payload > 0) tensor.uint32(0x4a).uint32(payload);
  const bytes = tensor.finish();
  const head = new Writer()
    .uint32(0x2a)
    .uint32(bytes.length + payload)
    .finish();
  return Uint8Array.from([...head, ...bytes]);
}
