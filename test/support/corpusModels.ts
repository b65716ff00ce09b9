import { join } from 'node:path';
import type { ModelLayout } from '../../src/core/export/modelLayout';
import { scanLayout } from '../../src/core/export/modelLayout';
import type { FuseRule, Graph } from '../../src/core/graph/graph';
import { analyzeModel } from '../../src/engine/analyze';
import { FileByteSource } from '../../src/engine/byteSource';

/** Sizes for the dimensions that corpus models leave open and that no default binds. */
const BINDINGS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'hyuto_nms_yolov8.onnx': { 'detection[1]': 84, 'detection[2]': 120 },
  'ort_gpt2_no_past.onnx': { seq_len: 4 },
  'ort_scan_1.onnx': { Sequence: 5 },
  'silero_vad.onnx': { 'input[1]': 256, 'state[1]': 1 },
  'silero_vad_op18_torch29.onnx': { sequence: 576 },
  'tribuo_tinybert.onnx': { sequence: 12 },
  'vespa_random_encoder.onnx': { tokens: 12 },
  'yunet_n_dynamic.onnx': { height: 160, width: 160 },
};

export interface OpenCorpusModel {
  readonly path: string;
  readonly source: FileByteSource;
  readonly layout: ModelLayout;
  readonly graph: Graph;
}

/** Opens a corpus model with all its sizes bound; close its source after use. */
export function openCorpusModel(folder: string, file: string, fuse: FuseRule = 'none'): OpenCorpusModel {
  const path = join(folder, file);
  const source = new FileByteSource(path);
  try {
    const bindings = new Map(Object.entries(BINDINGS[file] ?? {}));
    const { graph } = analyzeModel(source, { bindings, fuse });
    return { path, source, layout: scanLayout(source), graph };
  } catch (error) {
    source.close();
    throw error;
  }
}
