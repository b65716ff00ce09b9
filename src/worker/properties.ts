import type { Graph } from '../core/graph/graph';
import type { Model } from '../core/onnx/model';
import type { ModelProperties } from '../protocol/webview';

/** What the file says of itself, for the properties panel. */
export function modelProperties(model: Model, graph: Graph): ModelProperties {
  const known = graph.operators.every(({ flops }) => flops !== undefined);
  const flops = graph.operators.reduce((sum, operator) => sum + (operator.flops ?? 0), 0);
  return {
    fileBytes: model.fileBytes,
    irVersion: model.irVersion,
    producer: `${model.producerName} ${model.producerVersion}`.trim(),
    domain: model.domain,
    modelVersion: model.modelVersion,
    docString: model.docString,
    opsets: [...model.opsets].map(([domain, version]) => ({ domain: domain || 'ai.onnx', version })),
    metadata: model.metadata,
    functions: model.functions.map(({ domain, name }) => `${domain}.${name}`),
    totalFlops: { flops, known },
  };
}
