import type { Graph } from '../graph/graph';
import type { TensorId } from '../graph/units';
import type { Chunk } from './chunk';
import { bytesChunk, totalLength } from './chunk';
import { MODEL } from './fields';
import type { ModelLayout } from './modelLayout';
import { recordHeader } from './wire';
import { declaration } from './writer';

/** The model as it is, with some of its tensors as outputs too. */
export function exposedModel(layout: ModelLayout, graph: Graph, exposed: readonly TensorId[]): Chunk[] {
  const outputs = new Set(layout.outputs.map((output) => output.name));
  const added = exposed
    .map((id) => graph.tensors[id])
    .filter(({ name }) => !outputs.has(name))
    .map(({ name, type }) => bytesChunk(declaration('output', name, type, undefined)));
  return modelAround(layout, [
    {
      kind: 'copy',
      file: undefined,
      offset: layout.graph.valueStart,
      length: layout.graph.end - layout.graph.valueStart,
    },
    ...added,
  ]);
}

/** The model file with another graph in the place of its own; everything else byte for byte. */
export function modelAround(layout: ModelLayout, graph: readonly Chunk[]): Chunk[] {
  const chunks: Chunk[] = [];
  for (const record of layout.records) {
    const isSameLength = totalLength(graph) === layout.graph.end - layout.graph.valueStart;
    if (record === layout.graph) {
      chunks.push(
        isSameLength ? ownHeader(layout) : bytesChunk(recordHeader(MODEL.graph, totalLength(graph))),
        ...graph,
      );
    } else
      chunks.push({ kind: 'copy', file: undefined, offset: record.start, length: record.end - record.start });
  }
  return chunks;
}

/** Tag and length of the graph as the file writes them, which need not be the shortest way. */
function ownHeader({ graph }: ModelLayout): Chunk {
  return { kind: 'copy', file: undefined, offset: graph.start, length: graph.valueStart - graph.start };
}
