import assert from 'node:assert/strict';
import { onnx } from 'onnx-proto';
import { Writer } from 'protobufjs/minimal.js';
import { InputError } from '../../../../src/core/graph/problem';
import { MemoryByteSource } from '../../../../src/core/onnx/byteSources';
import type { ByteSource, Initializer } from '../../../../src/core/onnx/model';
import { readModel } from '../../../../src/core/onnx/readModel';
import { int64s, modelOf, node, onnxFile, value, zeros } from '../../../support/onnxFile';

const IDENTITY = {
  nodes: [node('Identity', 'x', 'y')],
  inputs: [value('x', [1])],
  outputs: [value('y', [1])],
};
const small = (): Uint8Array =>
  onnxFile({ node: IDENTITY.nodes, input: IDENTITY.inputs, output: IDENTITY.outputs });

/** Remembers which bytes were asked for. */
class Watched implements ByteSource {
  readonly touched: Uint8Array;
  private readonly inner: MemoryByteSource;

  constructor(bytes: Uint8Array) {
    this.inner = new MemoryByteSource(bytes);
    this.touched = new Uint8Array(bytes.length);
  }

  get size(): number {
    return this.inner.size;
  }

  read(offset: number, length: number): Uint8Array {
    this.touched.fill(1, offset, offset + length);
    return this.inner.read(offset, length);
  }
}

function refusal(bytes: Uint8Array): string {
  try {
    modelOf(bytes);
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.message;
  }
  return assert.fail('was read');
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

describe('reading a model', () => {
  it('leaves large weights on disk and finds where they are', () => {
    const bytes = onnxFile({
      node: [node('MatMul', 'x w', 'y')],
      input: [value('x', [1, 1000])],
      output: [value('y', [1, 1000])],
      initializer: [{ ...zeros('w', [1000, 1000]), rawData: new Uint8Array(4_000_000).fill(7) }],
    });
    const source = new Watched(bytes);
    const [weight] = readModel(source).graph.initializers;
    const read = source.touched.reduce((sum, one) => sum + one, 0);
    assert.ok(read < 300_000, `${read} bytes were read`);
    assert.equal(weight.bytes, 4_000_000);
    assert.equal(weight.payload.kind, 'raw');
    if (weight.payload.kind !== 'raw') return;
    const { offset, length } = weight.payload;
    assert.equal(length, 4_000_000);
    assert.ok(bytes.subarray(offset, offset + length).every((byte) => byte === 7));
    assert.notEqual(bytes[offset - 1], 7);
  });

  it('hashes structure and small constants, not weights', () => {
    const file = (fill: number, target: number, name = 'w'): Uint8Array =>
      onnxFile({
        node: [node('Reshape', 'x s', 'r'), node('MatMul', `r ${name}`, 'y')],
        initializer: [
          { ...zeros(name, [64, 64]), rawData: new Uint8Array(64 * 64 * 4).fill(fill) },
          int64s('s', [target, 64]),
        ],
      });
    const hash = (bytes: Uint8Array): string => modelOf(bytes).structureSha256;
    assert.match(hash(file(1, 1)), /^[0-9a-f]{64}$/);
    assert.equal(hash(file(1, 1)), hash(file(2, 1)));
    assert.notEqual(hash(file(1, 1)), hash(file(1, 2)));
    assert.notEqual(hash(file(1, 1)), hash(file(1, 1, 'v')));
  });

  it('gives the same model through windows of any size', () => {
    const bytes = onnxFile({
      node: Array.from({ length: 3000 }, (_, i) => node('Relu', `t${i}`, `t${i + 1}`)),
      initializer: [zeros('w', [10_000])],
      docString: 'd'.repeat(600_000),
    });
    assert.deepEqual(modelOf(bytes), readModel(new Watched(bytes)));
    assert.equal(modelOf(bytes).graph.nodes.length, 3000);
  });

  it('reads values of small constants in every encoding', () => {
    const { DataType } = onnx.TensorProto;
    const tensors: [onnx.ITensorProto, readonly number[]][] = [
      [int64s('raw', [1, -2, 3]), [1, -2, 3]],
      [{ dims: [2], dataType: DataType.INT64, int64Data: [-5, 2 ** 40] }, [-5, 2 ** 40]],
      [{ dims: [2], dataType: DataType.INT32, int32Data: [-1, 7] }, [-1, 7]],
      [{ dims: [], dataType: DataType.FLOAT, floatData: [0.5] }, [0.5]],
      [{ dims: [1], dataType: DataType.DOUBLE, doubleData: [0.1] }, [0.1]],
      [{ dims: [1], dataType: DataType.UINT64, uint64Data: [9] }, [9]],
      [{ dims: [2], dataType: DataType.BOOL, rawData: Uint8Array.of(1, 0) }, [1, 0]],
      [{ dims: [1], dataType: DataType.FLOAT16, rawData: Uint8Array.of(0, 0x3e) }, [1.5]],
      [{ dims: [1], dataType: DataType.FLOAT16, int32Data: [0x3e00] }, [1.5]],
      [{ dims: [1], dataType: DataType.BFLOAT16, rawData: Uint8Array.of(0xc0, 0x3f) }, [1.5]],
      [{ dims: [3], dataType: 22, rawData: Uint8Array.of(0x2f, 0x08) }, [-1, 2, -8]],
      [{ dims: [3], dataType: 21, int32Data: [0x2f, 0x08] }, [15, 2, 8]],
      [{ dims: [4], dataType: 26, rawData: Uint8Array.of(0b11100100) }, [0, 1, -2, -1]],
      [{ dims: [2], dataType: 23, rawData: Uint8Array.of(0xa5) }, [3, -1]],
      [{ dims: [1], dataType: 17, rawData: Uint8Array.of(0x38) }, [1]],
      [{ dims: [1], dataType: 24, rawData: Uint8Array.of(128) }, [2]],
    ];
    const initializer = tensors.map(([tensor], i) => ({ ...tensor, name: `t${i}` }));
    const read = modelOf(onnxFile({ initializer })).graph.initializers;
    tensors.forEach(([, expected], i) =>
      assert.deepEqual(read[i].values, expected, `tensor ${i} (${read[i].type})`),
    );
  });

  it('reads typed fields that are not packed, with other records in between', () => {
    const tensor = new Writer();
    tensor
      .uint32(8)
      .int64(2)
      .uint32(16)
      .int32(7)
      .uint32(56)
      .int64(-4)
      .uint32(66)
      .string('t')
      .uint32(56)
      .int64(6);
    const graph = new Writer().uint32(42).bytes(tensor.finish()).finish();
    const bytes = new Writer().uint32(8).int64(8).uint32(58).bytes(graph).finish();
    assert.deepEqual(modelOf(bytes).graph.initializers[0].values, [-4, 6]);
  });

  it('keeps large values and strings apart from small ones', () => {
    const { DataType } = onnx.TensorProto;
    const strings: onnx.ITensorProto = {
      name: 's',
      dims: [2],
      dataType: DataType.STRING,
      stringData: [text('a'), text('é')],
    };
    const initializer = [
      int64s('big', new Array<number>(1025).fill(1)),
      int64s('most', new Array<number>(1024).fill(1)),
      zeros('f', [17]),
      strings,
    ];
    const [big, most, floats, words] = modelOf(onnxFile({ initializer })).graph.initializers;
    assert.equal(big.values, undefined);
    assert.equal(most.values?.length, 1024);
    assert.equal(floats.values, undefined);
    assert.deepEqual(words.strings, ['a', 'é']);
    assert.equal(words.bytes, undefined);
  });

  it('keeps what onnx-proto 8 drops', () => {
    const entry = (key: string, content: string): Uint8Array =>
      new Writer().uint32(10).string(key).uint32(18).string(content).finish();
    const attribute = onnx.AttributeProto.encode({ name: 'axis', type: 2, i: 3 }).finish();
    const inner = onnx.NodeProto.encode({ opType: 'Relu', input: ['a'], output: ['b'] }).finish();
    const named = new Writer().raw(inner).uint32(66).string('o1').uint32(74).bytes(entry('k', 'v'));
    named.uint32(82).bytes(new Writer().uint32(10).string('cfg').finish());
    const body = new Writer()
      .uint32(10)
      .string('F')
      .uint32(34)
      .string('a')
      .uint32(42)
      .string('b')
      .uint32(58)
      .bytes(named.finish());
    body.uint32(90).bytes(attribute).uint32(106).string('o2');
    const graph = new Writer()
      .uint32(10)
      .bytes(onnx.NodeProto.encode({ opType: 'F', domain: 'd', input: ['x'], output: ['y'] }).finish());
    graph.uint32(130).bytes(entry('g', 'h'));
    const device = new Writer()
      .uint32(10)
      .string('cfg')
      .uint32(16)
      .int32(2)
      .uint32(26)
      .string('cpu')
      .finish();
    const file = new Writer()
      .uint32(8)
      .int64(11)
      .uint32(58)
      .bytes(graph.finish())
      .uint32(202)
      .bytes(body.finish());
    const model = modelOf(file.uint32(210).bytes(device).finish());
    const [called] = model.functions;
    assert.equal(called.overload, 'o2');
    assert.deepEqual(called.attributeDefaults.get('axis'), { kind: 'int', value: 3 });
    assert.equal(called.nodes[0].overload, 'o1');
    assert.deepEqual(called.nodes[0].metadata, [['k', 'v']]);
    assert.deepEqual(called.nodes[0].deviceConfigurations, ['cfg']);
    assert.deepEqual(model.graph.metadata, [['g', 'h']]);
    assert.deepEqual(model.configurations, [{ name: 'cfg', deviceCount: 2, devices: ['cpu'] }]);
  });

  it('leaves very long texts of attributes on disk too', () => {
    const bytes = onnxFile({
      node: [node('EPContext', 'x', 'y', { cache: 'e'.repeat(3 << 20), mode: 'short' })],
    });
    const source = new Watched(bytes);
    const { attributes } = readModel(source).graph.nodes[0];
    assert.deepEqual(attributes.get('cache'), { kind: 'string', value: `(${3 << 20} bytes, not read)` });
    assert.deepEqual(attributes.get('mode'), { kind: 'string', value: 'short' });
    assert.ok(source.touched.reduce((sum, one) => sum + one, 0) < 100_000);
  });

  it('gives sparse initializers their dense shape', () => {
    const sparse = { values: zeros('w', [3]), indices: int64s('', [1, 5, 7]), dims: [10, 10] };
    const [weight] = modelOf(onnxFile({ sparseInitializer: [sparse] })).graph.initializers;
    assert.equal(weight.name, 'w');
    assert.equal(weight.bytes, 400);
    assert.deepEqual(weight.payload, { kind: 'sparse', nonZeroBytes: 12 + 24 });
  });

  it('takes a size that overflows as unknown', () => {
    const initializer = [{ ...zeros('w', []), dims: [2 ** 40, 2 ** 40] }];
    const model = modelOf(onnxFile({ initializer }));
    assert.equal(model.graph.initializers[0].bytes, undefined);
    assert.match(model.problems[0].message, /impossible shape/);
  });
});

describe('refusing what is no model', () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(0), /^The file is empty\.$/],
    ['a text file', text('Hello, this is no model.\n'), /^This is a text file/],
    [
      'a Git LFS pointer',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n'),
      /Git LFS pointer.*git lfs pull/,
    ],
    ['a web page', text('<!DOCTYPE html><html></html>'), /web page/],
    ['JSON', text('{"format": 1}'), /JSON/],
    ['a zip archive', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0, 255, 254), /ZIP archive/],
    ['a model without graph', Uint8Array.of(8, 8), /no graph/],
    [
      'half a model',
      small().subarray(0, 20),
      /cut off: its part from byte \d+ on needs \d+ bytes, but \d+ are left/,
    ],
    [
      'a group record',
      Uint8Array.of(8, 8, 0x3a, 2, 0x0b, 0x0c),
      /damaged at byte 4 \(in GraphProto\).*wire type 3/,
    ],
  ];
  for (const [what, bytes, sentence] of cases) {
    it(what, () => assert.match(refusal(bytes), sentence));
  }

  it('a record that runs over the end of its node, and says which', () => {
    const bytes = small().slice();
    const at = bytes.indexOf('Identity'.charCodeAt(0));
    bytes[at - 1] = 100;
    assert.match(refusal(bytes), /in NodeProto of node 0\): it has a record of 100 bytes/);
  });

  it('20,000 nested graphs, without overflowing the stack', () => {
    let length = 0;
    const lengths: number[] = [];
    const size = (content: number): number =>
      content < 0x80 ? 1 : content < 0x4000 ? 2 : content < 0x200000 ? 3 : 4;
    for (let i = 0; i < 3 * 20_000; i++) {
      lengths.push(length);
      length += 1 + size(length);
    }
    const writer = new Writer().uint32(8).int64(8);
    const tags = [0x3a, ...Array.from({ length: 20_000 }, () => [0x0a, 0x2a, 0x32]).flat()];
    lengths.reverse().forEach((one, i) => writer.uint32(tags[i]).uint32(one));
    assert.match(refusal(writer.finish()), /nested over \d+ levels/);
  });

  it('a cycle, naming its nodes', () => {
    const file = onnxFile({ node: [node('Add', 'x c', 'a'), node('Relu', 'a', 'b'), node('Abs', 'b', 'c')] });
    assert.match(refusal(file), /cycle.*node 0 \(Add\).*node 2 \(Abs\).*node 1 \(Relu\)/);
  });

  it('a function that calls itself through others', () => {
    const call = (name: string, called: string) => ({
      ...{ name, domain: 'd', input: ['a'], output: ['b'] },
      node: [node(called, 'a', 'b', {}, { domain: 'd' })],
    });
    const functions = [call('F', 'G'), call('G', 'H'), call('H', 'F')];
    assert.match(refusal(onnxFile({ functions, domains: { d: 1 } })), /"F" calls itself through "G", "H"/);
  });

  it('a function that calls itself', () => {
    const functions = [
      {
        name: 'F',
        domain: 'd',
        input: ['a'],
        output: ['b'],
        node: [node('F', 'a', 'b', {}, { domain: 'd' })],
      },
    ];
    assert.match(refusal(onnxFile({ functions, domains: { d: 1 } })), /"F" calls itself/);
  });
});

describe('problems of a model that can be read', () => {
  const problems = (bytes: Uint8Array): string =>
    modelOf(bytes)
      .problems.map(({ severity, message }) => `${severity}: ${message}`)
      .join('\n');
  const graph = { input: [value('x', [1])], output: [value('y', [1])] };
  const cases: [string, Uint8Array, RegExp][] = [
    ['nothing', small(), /^$/],
    [
      'no operator set',
      onnx.ModelProto.encode({ irVersion: 9, graph: { node: IDENTITY.nodes, ...graph } }).finish(),
      /error: .*imports no operator set/,
    ],
    [
      'unsorted',
      onnxFile({ node: [node('Abs', 'a', 'y'), node('Relu', 'x', 'a')], ...graph }),
      /warning: The nodes are not in topological order, from node 0 on/,
    ],
    [
      'an input from nowhere',
      onnxFile({ node: [node('Add', 'x z', 'y')], ...graph }),
      /error: Node 0 \(Add\) reads "z", which nothing makes/,
    ],
    ['an output from nowhere', onnxFile({ node: [], ...graph }), /error: The output "y" is made by no node/],
    [
      'a name made twice',
      onnxFile({ node: [node('Abs', 'x', 'y'), node('Relu', 'x', 'y')], ...graph }),
      /"y" that node 1 \(Relu\) makes exists already/,
    ],
    [
      'unused nodes',
      onnxFile({ node: [node('Abs', 'x', 'y'), node('Relu', 'x', 'z')], ...graph }),
      /info: Node 1 \(Relu\) computes something that nobody uses/,
    ],
    [
      'a domain that is not imported',
      onnxFile({ node: [node('Foo', 'x', 'y', {}, { domain: 'other' })], ...graph }),
      /operator set "other" of node 0 \(Foo\) is not imported/,
    ],
    [
      'short weights',
      onnxFile({
        node: IDENTITY.nodes,
        ...graph,
        initializer: [{ ...zeros('w', [9]), rawData: new Uint8Array(8) }],
      }),
      /"w" holds 8 bytes at byte \d+ of the file, but its shape \[9\] of float32 needs 36/,
    ],
    ['a newer IR', onnxFile({ ir: 99, node: IDENTITY.nodes, ...graph }), /IR version 99/],
    [
      'a mistyped record',
      Uint8Array.from([...small(), 0x10, 5]),
      /field 2 of ModelProto, at byte \d+, is written as wire type 0/,
    ],
  ];
  for (const [what, bytes, sentence] of cases) it(what, () => assert.match(problems(bytes), sentence));

  it('in a subgraph, where it is', () => {
    const branch = { name: 'b', node: [node('Add', 'x missing', 'o')], output: [value('o')] };
    const file = onnxFile({
      node: [node('If', 'x', 'y', { then_branch: branch, else_branch: branch })],
      ...graph,
    });
    assert.match(problems(file), /Node 0 \(Add\) in then_branch of node 0 \(If\) reads "missing"/);
  });

  it('means version 1 where a model of IR 1 imports nothing', () => {
    const model = modelOf(
      onnx.ModelProto.encode({ irVersion: 1, graph: { node: IDENTITY.nodes, ...graph } }).finish(),
    );
    assert.deepEqual([...model.opsets], [['', 1]]);
    assert.deepEqual(model.problems, []);
  });

  it('repeats a kind of problem three times, then counts', () => {
    const initializer = Array.from({ length: 50 }, (_, i) => ({ name: `w${i}`, dims: [4], dataType: 1 }));
    assert.match(
      problems(onnxFile({ node: IDENTITY.nodes, ...graph, initializer })),
      /"w2".*\ninfo: 47 more of the same kind: no data in the file/,
    );
  });
});

describe('names and spellings', () => {
  it('takes "ai.onnx" for the default domain, and empty and repeated node names as they are', () => {
    const nodes = [
      node('Abs', 'x', 'a', {}, { domain: 'ai.onnx', name: 'n' }),
      node('Abs', 'a', 'y', {}, { name: 'n' }),
    ];
    const model = modelOf(onnxFile({ node: nodes, input: [value('x')], output: [value('y')] }));
    assert.deepEqual(
      model.graph.nodes.map((one) => [one.domain, one.name]),
      [
        ['', 'n'],
        ['', 'n'],
      ],
    );
    assert.deepEqual(model.problems, []);
  });

  it('guesses the type of attributes that do not say it', () => {
    const untyped = {
      opType: 'Foo',
      input: ['x'],
      output: ['y'],
      attribute: [
        { name: 'i', i: 4 },
        { name: 'f', f: 0.5 },
        { name: 'l', ints: [1, 2] },
        { name: 't', t: zeros('', [2]) },
      ],
    };
    const { attributes } = modelOf(onnxFile({ node: [untyped] })).graph.nodes[0];
    assert.deepEqual(attributes.get('i'), { kind: 'int', value: 4 });
    assert.deepEqual(attributes.get('f'), { kind: 'float', value: 0.5 });
    assert.deepEqual(attributes.get('l'), { kind: 'ints', value: [1, 2] });
    const tensor = attributes.get('t');
    assert.deepEqual(tensor?.kind === 'tensor' && (tensor.value as Initializer).dims, [2]);
  });
});
