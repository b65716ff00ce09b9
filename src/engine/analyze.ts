import { buildGraph } from '../core/analysis/buildGraph';
import type { FuseRule, Graph } from '../core/graph/graph';
import type { Problem } from '../core/graph/problem';
import type { ByteSource, Model } from '../core/onnx/model';
import { readModel } from '../core/onnx/readModel';
import { inferShapes } from '../core/shape/inferShapes';
import type { ShapeResult } from '../core/shape/types';
import { FileByteSource } from './byteSource';
import { checkExternalData } from './externalData';

export interface AnalysisOptions {
  readonly bindings: ReadonlyMap<string, number>;
  readonly fuse: FuseRule;
}

/** A model's structure, its shapes under the bindings in force, and the operator graph made of them. */
export interface Analysis {
  readonly model: Model;
  readonly shapes: ShapeResult;
  readonly graph: Graph;
  readonly problems: readonly Problem[];
}

/** Reads structure (never weights), infers shapes, builds the graph. Throws `InputError` for a broken file. */
export function analyzeModel(source: ByteSource, options: AnalysisOptions): Analysis {
  const model = readModel(source);
  return analyzeStructure(model, options);
}

/** The same from a file on disk, with its external weight files looked up (their sizes, never their bytes). */
export function analyzeFile(path: string, options: AnalysisOptions): Analysis {
  return analyzeStructure(readModelFile(path), options);
}

/** Structure of a model file on disk. Throws `InputError` for one that cannot be read. */
export function readModelFile(path: string): Model {
  const source = new FileByteSource(path);
  try {
    return checkExternalData(readModel(source), path);
  } finally {
    source.close();
  }
}

/** The same from a model that has been read: after new bindings, or with another fusion rule. */
export function analyzeStructure(model: Model, { bindings, fuse }: AnalysisOptions): Analysis {
  const shapes = inferShapes(model, { bindings });
  const graph = buildGraph(model, shapes, { fuse });
  return { model, shapes, graph, problems: [...model.problems, ...shapes.problems] };
}
