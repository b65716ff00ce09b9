import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { InferenceSession, InferenceSessionFactory, TensorConstructor } from 'onnxruntime-common';
import { InputError } from '../core/graph/problem';

/** ONNX Runtime, whichever build of it is at hand. */
export interface Runtime {
  /** For people: `onnxruntime-node 1.30.0`. */
  readonly name: string;
  readonly Tensor: TensorConstructor;
  /** A model from memory, or from a path where its external data lies beside it. Throws `InputError` with ONNX Runtime's message. */
  open(model: Uint8Array | string, options?: OpenOptions): Promise<InferenceSession>;
}

export interface OpenOptions {
  /** Files that hold external data, by the location that the model names. Needed where a model comes from memory. */
  readonly externalData?: readonly { readonly path: string; readonly data: Uint8Array }[];
  /** Graph optimizations of the runtime: `disabled` runs every node as it is written. */
  readonly optimization?: 'disabled' | 'all';
}

export type RuntimeKind = 'native' | 'wasm';

const WASM_FILE = 'ort-wasm-simd-threaded.wasm';

/**
 * `native` (`onnxruntime-node`) where it is installed, else `wasm` (`onnxruntime-web`, the build that the
 * extension carries); `wanted` asks for one of them. Throws `InputError` where there is none.
 */
export async function loadRuntime(wanted?: RuntimeKind): Promise<Runtime> {
  const native = wanted === 'wasm' ? undefined : await loadNative();
  const found = native ?? (wanted === 'native' ? undefined : await loadWasm());
  if (found === undefined)
    throw new InputError(
      'ONNX Runtime is not installed here: run `npm install onnxruntime-node` beside this program.',
    );
  return found;
}

interface RuntimeModule {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
  readonly env: {
    readonly versions: { readonly common: string };
    readonly wasm: { numThreads?: number; wasmBinary?: ArrayBufferLike | Uint8Array };
    logLevel?: string;
  };
}

/** Not bundled: a package with a native library of 290 MB that the user may have. */
async function loadNative(): Promise<Runtime | undefined> {
  try {
    const name = 'onnxruntime-node';
    return wrap('onnxruntime-node', (await import(name)) as RuntimeModule);
  } catch {
    return undefined;
  }
}

async function loadWasm(): Promise<Runtime | undefined> {
  const file = wasmFile();
  if (file === undefined) return undefined;
  const loaded = (await import('onnxruntime-web/wasm')) as unknown as RuntimeModule;
  loaded.env.wasm.numThreads = 1;
  loaded.env.wasm.wasmBinary ??= readFileSync(file);
  return wrap('onnxruntime-web', loaded);
}

/** Beside the bundle that runs, or in the installed package. */
function wasmFile(): string | undefined {
  const folders = [__dirname];
  try {
    folders.push(dirname(require.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm')));
  } catch {
    // A bundle has no packages beside it.
  }
  return folders.map((folder) => join(folder, WASM_FILE)).find((path) => existsSync(path));
}

function wrap(name: string, loaded: RuntimeModule): Runtime {
  // What goes wrong comes back as an exception: nothing is written past the caller.
  loaded.env.logLevel = 'fatal';
  return {
    name: `${name} ${loaded.env.versions.common}`,
    Tensor: loaded.Tensor,
    open: async (model, options = {}) => {
      const settings: InferenceSession.SessionOptions = {
        graphOptimizationLevel: options.optimization ?? 'all',
        logSeverityLevel: 4,
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        ...(options.externalData === undefined ? {} : { externalData: options.externalData }),
      };
      try {
        return typeof model === 'string'
          ? await loaded.InferenceSession.create(model, settings)
          : await loaded.InferenceSession.create(model, settings);
      } catch (error) {
        throw new InputError(`ONNX Runtime does not accept this model: ${runtimeMessage(error)}`);
      }
    },
  };
}

/** The one line of an ONNX Runtime error that says what is wrong. */
export function runtimeMessage(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim().slice(0, 500);
}
