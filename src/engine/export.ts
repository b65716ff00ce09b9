import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Chunk } from '../core/export/chunk';
import { totalLength } from '../core/export/chunk';
import { scanLayout } from '../core/export/modelLayout';
import { partitionedModel } from '../core/export/partitioned';
import { deviceModels } from '../core/export/perDevice';
import { reorderedModel } from '../core/export/reordered';
import { validateModel } from '../core/export/validate';
import type { Control } from '../core/graph/control';
import { InputError } from '../core/graph/problem';
import type { Plan } from '../core/plan/plan';
import { FileByteSource } from './byteSource';
import { writeChunks } from './chunks';
import { DataFile, ExternalFiles } from './externalFiles';
import { reason } from './files';
import { openPlanned, type PlannedModel } from './plannedModel';

/** `partitioned`: one graph with every shard; `reorder`: the model in the plan's order; `per-device`: a folder. */
export type ExportKind = 'partitioned' | 'reorder' | 'per-device';

export interface ExportOptions {
  readonly kind: ExportKind;
  /** Replace what lies at the target. The model itself is never replaced. */
  readonly force: boolean;
}

export interface ExportProgress {
  readonly file: string;
  readonly done: number;
  readonly total: number;
}

export interface ExportReport {
  readonly kind: ExportKind;
  /** In the order written; paths below the target's folder. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly nodes: number;
  /** Files of weights that the model names and that are not beside it: the export names its own and lacks them too. */
  readonly absentWeights: readonly string[];
  readonly cancelled: boolean;
}

/** Largest message that protocol buffers allow; above it weights go to a data file. */
const LARGEST_MESSAGE = 2 ** 31 - 1;
export const MANIFEST_FILE = 'manifest.json';

/**
 * Writes a plan's export to `out` (a file, or for `per-device` a folder), streaming the weights. Throws
 * `InputError` for a plan that does not fit, a target that exists (without `force`), and one that is the model
 * or its data. What was there stays until everything new is written.
 */
export function exportPlan(
  modelPath: string,
  plan: Plan,
  out: string,
  options: ExportOptions,
  control: Control<ExportProgress>,
): Promise<ExportReport> {
  // Asynchronous in its signature alone: a caller in an editor awaits it like its other long tasks.
  return new Promise((done) => {
    const model = openPlanned(modelPath, plan);
    try {
      done(exportPlanned(model, out, options, control));
    } finally {
      model.source.close();
    }
  });
}

/** The same for a model that is open. */
export function exportPlanned(
  model: Pick<PlannedModel, 'path' | 'source' | 'layout' | 'planned'>,
  out: string,
  options: ExportOptions,
  control: Control<ExportProgress>,
): ExportReport {
  const target = resolve(out);
  checkTarget(model, target, options);
  const files = new ExternalFiles(model.path, model.source);
  try {
    const absent = externalLocations(model).filter(
      (location) => !existsSync(join(dirname(model.path), location)),
    );
    const contents = contentsOf(model, target, options.kind).filter(
      ({ isData }) => !isData || absent.length === 0,
    );
    return { ...write(target, contents, files, options, control), absentWeights: absent };
  } finally {
    files.close();
  }
}

interface Content {
  /** Relative to the target's folder. */
  readonly name: string;
  readonly chunks: readonly Chunk[];
  readonly isModel: boolean;
  readonly isData: boolean;
}

function checkTarget(
  model: Pick<PlannedModel, 'path' | 'layout'>,
  target: string,
  options: ExportOptions,
): void {
  const folder = options.kind === 'per-device' ? dirname(target) : dirname(target);
  if (!existsSync(folder)) throw new InputError(`The folder "${folder}" does not exist.`);
  const own = [
    model.path,
    ...externalLocations(model).map((location) => join(dirname(model.path), location)),
  ];
  for (const path of [target, `${target}.data`]) {
    if (!existsSync(path)) continue;
    if (own.some((one) => existsSync(one) && realpathSync(one) === realpathSync(path)))
      throw new InputError(
        `The export would overwrite "${basename(path)}", which the model itself needs: choose another name.`,
      );
    if (!options.force)
      throw new InputError(`"${basename(path)}" exists already: give --force to replace it.`);
  }
  if (options.kind !== 'per-device' && existsSync(target) && statSync(target).isDirectory())
    throw new InputError(`"${basename(target)}" is a folder: name a file.`);
  if (options.kind === 'per-device' && existsSync(target) && !isExportFolder(target))
    throw new InputError(`"${basename(target)}" is not a folder of an earlier export: choose another name.`);
  const leavesFolder = realpathSync(folder) !== realpathSync(dirname(model.path));
  if (options.kind === 'reorder' && leavesFolder && externalLocations(model).length > 0)
    throw new InputError(
      'The model keeps weights in files beside it: write the reordered model into the same folder.',
    );
}

/** Only folders that this program filled are replaced. */
function isExportFolder(path: string): boolean {
  return statSync(path).isDirectory() && existsSync(join(path, MANIFEST_FILE));
}

function externalLocations({ layout }: Pick<PlannedModel, 'layout'>): string[] {
  const found = new Set<string>();
  for (const { payload } of layout.initializers.values())
    if (payload.kind === 'external') found.add(payload.location);
  return [...found];
}

function contentsOf(
  { layout, planned, path }: Pick<PlannedModel, 'path' | 'layout' | 'planned'>,
  target: string,
  kind: ExportKind,
): Content[] {
  const name = basename(target);
  if (kind === 'reorder')
    return [
      { name, chunks: reorderedModel(layout, planned.graph, planned.steps), isModel: true, isData: false },
    ];
  if (kind === 'per-device') return deviceContents({ layout, planned, path });
  const isBeside = realpathSync(dirname(target)) === realpathSync(dirname(path));
  const build = (takesAll: boolean): { data: DataFile; chunks: Chunk[] } => {
    const data = new DataFile(`${name}.data`, takesAll, isBeside);
    return { data, chunks: partitionedModel(layout, planned, data) };
  };
  const inline = build(false);
  const { data, chunks } = totalLength(inline.chunks) > LARGEST_MESSAGE ? build(true) : inline;
  return [...dataContent(data), { name, chunks, isModel: true, isData: false }];
}

function deviceContents({
  layout,
  planned,
  path,
}: Pick<PlannedModel, 'path' | 'layout' | 'planned'>): Content[] {
  const stores: DataFile[] = [];
  const store = (device: string): DataFile => {
    const data = new DataFile(`${device}.data`);
    stores.push(data);
    return data;
  };
  const { models, manifest } = deviceModels(layout, planned, basename(path), store);
  const text = new TextEncoder().encode(`${JSON.stringify(manifest, undefined, 2)}\n`);
  return [
    ...stores.flatMap(dataContent),
    ...models.map((one) => ({ name: one.file, chunks: one.chunks, isModel: true, isData: false })),
    { name: MANIFEST_FILE, chunks: [{ kind: 'bytes', bytes: text }], isModel: false, isData: false },
  ];
}

function dataContent(data: DataFile): Content[] {
  return data.chunks.length === 0
    ? []
    : [{ name: data.location, chunks: data.chunks, isModel: false, isData: true }];
}

/** Everything is written under temporary names and checked, then takes its place; on failure nothing is left. */
function write(
  target: string,
  contents: readonly Content[],
  files: ExternalFiles,
  options: ExportOptions,
  control: Control<ExportProgress>,
): Omit<ExportReport, 'absentWeights'> {
  const isFolder = options.kind === 'per-device';
  const folder = isFolder ? `${target}.partial` : dirname(target);
  const temporary = (content: Content): string =>
    join(folder, isFolder ? content.name : `.${content.name}.partial`);
  let nodes = 0;
  try {
    if (isFolder) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
    }
    for (const [done, content] of contents.entries()) {
      if (control.cancelled()) return { kind: options.kind, files: [], nodes: 0, cancelled: true };
      control.report({ file: content.name, done, total: contents.length });
      rmSync(temporary(content), { force: true });
      writeChunks(temporary(content), content.chunks, files.lookup);
      if (content.isModel) nodes += checkWritten(temporary(content));
    }
    if (isFolder) {
      rmSync(target, { recursive: true, force: true });
      renameSync(folder, target);
    } else for (const content of contents) renameSync(temporary(content), join(folder, content.name));
  } catch (error) {
    if (error instanceof InputError || (error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new InputError(`The export could not be written: ${reason(error)}.`);
  } finally {
    if (isFolder) rmSync(folder, { recursive: true, force: true });
    else for (const content of contents) rmSync(temporary(content), { force: true });
  }
  const written = contents.map(({ name, chunks }) => ({ name, bytes: totalLength(chunks) }));
  return { kind: options.kind, files: written, nodes, cancelled: false };
}

/** Nodes of a written model. Throws where it breaks a rule of the format: then the program is wrong, not its user. */
function checkWritten(path: string): number {
  const source = new FileByteSource(path);
  try {
    const layout = scanLayout(source);
    const problems = validateModel(layout);
    if (problems.length > 0)
      throw new Error(`the export breaks the format: ${problems.slice(0, 3).join('; ')}`);
    return layout.nodes.length;
  } finally {
    source.close();
  }
}
