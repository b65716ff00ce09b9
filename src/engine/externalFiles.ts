import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { Chunk } from '../core/export/chunk';
import { boxRuns, chunkLength } from '../core/export/chunk';
import type { ExternalStore } from '../core/export/tensorBytes';
import { InputError } from '../core/graph/problem';
import type { ByteSource } from '../core/onnx/model';
import { FileByteSource } from './byteSource';
import type { FileLookup } from './chunks';

/** External data of a model: opened once each, only inside the model's own folder. Close it after use. */
export class ExternalFiles {
  private readonly open = new Map<string, FileByteSource>();

  constructor(
    private readonly modelPath: string,
    private readonly model: ByteSource,
  ) {}

  readonly lookup: FileLookup = (location) => {
    if (location === undefined) return this.model;
    const found = this.open.get(location) ?? new FileByteSource(this.pathOf(location));
    this.open.set(location, found);
    return found;
  };

  close(): void {
    for (const source of this.open.values()) source.close();
    this.open.clear();
  }

  /** Throws `InputError` for a location that is absent or leaves the model's folder, by link or by name. */
  private pathOf(location: string): string {
    const folder = realpathSync(dirname(this.modelPath));
    let path: string;
    try {
      path = realpathSync(join(folder, location));
    } catch {
      throw new InputError(`The model's weights in "${location}" are not beside it.`);
    }
    const inside = relative(folder, path);
    if (isAbsolute(location) || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside))
      throw new InputError(`The model's weights in "${location}" lie outside its folder and are not read.`);
    return path;
  }
}

/** Offsets of external data, as memory-mapping readers like them. */
const ALIGNMENT = 64;

/** Collects external data for one new data file, in the order in which it is placed. */
export class DataFile implements ExternalStore {
  readonly chunks: Chunk[] = [];
  private size = 0;

  /**
   * `isBeside`: the export lies in the model's own folder, so that data in one piece can stay where it is.
   */
  constructor(
    readonly location: string,
    readonly takesAll = false,
    private readonly isBeside = false,
  ) {}

  place(chunk: Chunk): { readonly location: string; readonly offset: number; readonly length: number } {
    const length = chunkLength(chunk);
    const run = chunk.kind === 'box' ? onlyRun(chunk) : undefined;
    if (this.isBeside && chunk.kind === 'box' && chunk.file !== undefined && run !== undefined)
      return { location: chunk.file, offset: chunk.offset + run, length };
    const padding = (ALIGNMENT - (this.size % ALIGNMENT)) % ALIGNMENT;
    if (padding > 0) this.chunks.push({ kind: 'bytes', bytes: new Uint8Array(padding) });
    const offset = this.size + padding;
    this.chunks.push(chunk);
    this.size = offset + length;
    return { location: this.location, offset, length };
  }
}

/** Start of a box that is one piece of its tensor, from the tensor's start; `undefined` for several. */
function onlyRun(chunk: Chunk & { kind: 'box' }): number | undefined {
  const runs = boxRuns(chunk.shape, chunk.box, chunk.elementBytes);
  const first = runs.next();
  return first.done === true || runs.next().done !== true ? undefined : first.value[0];
}
