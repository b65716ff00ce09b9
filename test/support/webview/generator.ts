import onnx from 'onnx-proto';

/**
 * Transformer-like graphs of any size as `.onnx` files, the shape that layered layouts suffer from: blocks of
 * attention and feed-forward with residuals; with `skips`, a mask and two position tensors feed every block, as
 * in real exports of language models.
 */
export function transformerModel(operators: number, skips: boolean): Uint8Array {
  const nodes: onnx.onnx.INodeProto[] = [];
  const add = (opType: string, input: string[]): string => {
    const output = `t${nodes.length}`;
    nodes.push({ opType, name: `/${opType}_${nodes.length}`, input, output: [output] });
    return output;
  };
  let x = 'input';
  while (nodes.length < operators) x = block(x);
  const float = (name: string, dims: number[]): onnx.onnx.IValueInfoProto => ({
    name,
    type: { tensorType: { elemType: 1, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
  });
  const extra = skips
    ? [float('mask', [1, 1, 128, 128]), float('cos', [128, 768]), float('sin', [128, 768])]
    : [];
  const model: onnx.onnx.IModelProto = {
    irVersion: 8,
    producerName: 'bench',
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'transformer',
      node: nodes,
      input: [float('input', [1, 128, 768]), ...extra],
      output: [float(x, [1, 128, 768])],
      initializer: ['w', 'u'].map((name) => ({
        name,
        dataType: 1,
        dims: [768, 768],
        externalData: [{ key: 'location', value: 'none.bin' }],
        dataLocation: 1,
      })),
    },
  };
  return onnx.onnx.ModelProto.encode(model).finish();

  function block(input: string): string {
    const normal = add('Identity', [input]);
    const project = (): string => {
      const flat = add('Sigmoid', [add('MatMul', [normal, 'w'])]);
      return skips ? add('Add', [add('Mul', [flat, 'cos']), add('Mul', [flat, 'sin'])]) : add('Tanh', [flat]);
    };
    const scores = add('MatMul', [project(), add('Transpose', [project()])]);
    const masked = skips ? add('Add', [scores, 'mask']) : scores;
    const attended = add('MatMul', [add('Softmax', [masked]), project()]);
    const first = add('Add', [input, add('MatMul', [attended, 'w'])]);
    const inner = add('Relu', [add('MatMul', [add('Identity', [first]), 'u'])]);
    return add('Add', [first, add('MatMul', [inner, 'u'])]);
  }
}
