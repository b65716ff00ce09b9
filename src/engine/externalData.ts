import { realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { Problem } from '../core/graph/problem';
import { withExternalStates, type ExternalPayload, type ExternalState } from '../core/onnx/externalTensors';
import type { Initializer, Model } from '../core/onnx/model';
import { elementCount, isSmallConstant } from '../core/onnx/payloads';
import { FileByteSource } from './byteSource';

/**
 * Looks up external weights, in the folder of the model and below it only: no absolute path, no `..`, no link
 * that leads out. The file's size decides between `present` and `short`; only small constants that shapes may
 * depend on are read. What is not there never stops the analysis: it becomes a state of the tensor and one warning
 * per file and state.
 */
export function checkExternalData(model: Model, modelPath: string): Model {
  const folder = new WeightFolder(dirname(modelPath));
  const found = new Map<string, Finding>();
  const checked = withExternalStates(model, (payload, tensor) => {
    const state = folder.stateOf(payload, tensor);
    const bytes = state === 'present' ? folder.smallConstant(payload, tensor) : undefined;
    const key = `${state}\0${payload.location}`;
    const finding = found.get(key) ?? { state, location: payload.location, tensor: tensor.name, count: 0 };
    found.set(key, { ...finding, count: finding.count + 1 });
    return { state, bytes };
  });
  const problems = [...found.values()].filter(({ state }) => state !== 'present').map(problemOf);
  return { ...checked, problems: [...checked.problems, ...problems] };
}

/**
 * The path of an external weight file, for those who read the weights; `undefined` where it is refused or absent.
 * The same rules as above.
 */
export function externalFile(modelPath: string, location: string): string | undefined {
  const file = new WeightFolder(dirname(modelPath)).find(location);
  return typeof file === 'string' ? undefined : file.path;
}

interface Finding {
  readonly state: ExternalState;
  readonly location: string;
  readonly tensor: string;
  readonly count: number;
}

interface WeightFile {
  readonly path: string;
  readonly size: number;
}

class WeightFolder {
  private readonly root: string;
  private readonly files = new Map<string, WeightFile | 'absent' | 'refused'>();

  constructor(folder: string) {
    this.root = realpathSync(folder);
  }

  stateOf({ location, offset, length }: ExternalPayload, { bytes }: Initializer): ExternalState {
    const file = this.find(location);
    if (file === 'absent' || file === 'refused') return file;
    if (offset < 0) return 'refused';
    const needed = Math.max(length ?? 0, bytes ?? 0);
    const declaredShort = length !== undefined && bytes !== undefined && length < bytes;
    return declaredShort || offset + needed > file.size ? 'short' : 'present';
  }

  /** Bytes of a small integer or scalar constant, which shapes may depend on. */
  smallConstant(
    { location, offset }: ExternalPayload,
    { type, dims, bytes }: Initializer,
  ): Uint8Array | undefined {
    const file = this.find(location);
    if (typeof file === 'string' || bytes === undefined || !isSmallConstant(type, elementCount(dims)))
      return undefined;
    const source = new FileByteSource(file.path);
    try {
      return source.read(offset, bytes);
    } finally {
      source.close();
    }
  }

  find(location: string): WeightFile | 'absent' | 'refused' {
    let known = this.files.get(location);
    if (known === undefined) this.files.set(location, (known = this.lookUp(location)));
    return known;
  }

  private lookUp(location: string): WeightFile | 'absent' | 'refused' {
    if (!isInnerPath(location)) return 'refused';
    try {
      const path = realpathSync(join(this.root, location));
      const inside = relative(this.root, path);
      if (inside === '' || inside.split(sep)[0] === '..' || inside.startsWith(sep)) return 'refused';
      const status = statSync(path);
      return status.isFile() ? { path, size: status.size } : 'refused';
    } catch {
      return 'absent';
    }
  }
}

/** A relative path that stays in its folder, on every platform that the model may be opened on. */
function isInnerPath(location: string): boolean {
  if (location === '' || location.includes('\0') || /^([/\\]|[A-Za-z]:)/.test(location)) return false;
  return !location.split(/[/\\]/).includes('..');
}

function problemOf({ state, location, tensor, count }: Finding): Problem {
  const who = count === 1 ? `The weight "${tensor}" lies` : `${count} weights lie`;
  const file = `"${location}"`;
  const message = {
    absent: `${who} in ${file}, which is not beside the model: the analysis goes on without the values.`,
    short: `${who} in ${file}, which is too short for ${count === 1 ? 'it' : 'them'}: the file is cut off or belongs to another model.`,
    refused: `${who} in ${file}, which is not a file inside the model's own folder: it was not opened.`,
    present: '',
  }[state];
  return count === 1 ? { severity: 'warning', message, tensor } : { severity: 'warning', message };
}
