import * as vscode from 'vscode';
import type { ModelSource, OpenedModel, PlanSource } from '../protocol/worker';
import type { DocumentState, PlanState, RunProgress, VerificationResult } from '../protocol/webview';
import { sentence, UserError } from './log';
import { modelSource } from './modelSource';
import { settingsFor } from './settings';
import type { StartWorker, WorkerClient } from './workerClient';

/** Writers often touch a file several times: wait for them to finish. */
const SETTLE_MS = 200;

export interface SessionOptions {
  readonly model: vscode.Uri;
  /** Where the plan comes from: asked each time the model is read. */
  readonly plan: () => PlanSource;
  readonly startWorker: StartWorker;
  /** Sizes of symbolic dimensions that the user gave earlier, and where new ones are kept. */
  readonly bindings: BindingStore;
}

export interface BindingStore {
  get(model: vscode.Uri): Readonly<Record<string, number>>;
  set(model: vscode.Uri, bindings: Readonly<Record<string, number>>): void;
}

/**
 * What one open document shows: the model, its plan, and what is running. It reads the model in a worker of its
 * own, again whenever the model or a plan beside it changes on disk, and tells its panels.
 */
export class Session {
  readonly uri: vscode.Uri;
  private readonly changed = new vscode.EventEmitter<'document' | 'plan' | 'progress' | 'verification'>();
  readonly onDidChange = this.changed.event;
  private readonly disposables: vscode.Disposable[] = [this.changed];
  private worker: WorkerClient | undefined;
  private generation = 0;
  private settle: NodeJS.Timeout | undefined;
  private sizeAccepted = false;
  private reading: Promise<void> = Promise.resolve();

  document: DocumentState;
  plan: PlanState = { kind: 'none' };
  /** The result of a what-if that is shown in the plan's place until it is kept or discarded. */
  unsaved: { readonly text: string; readonly plan: PlanState } | null = null;
  progress: RunProgress | null = null;
  verification: VerificationResult | null = null;

  constructor(private readonly options: SessionOptions) {
    this.uri = options.model;
    this.document = { kind: 'loading', fileName: fileName(this.uri) };
    this.watch();
    void this.refresh();
  }

  /** The worker that has read the model; requests about its details go there. */
  get reader(): WorkerClient {
    if (this.worker === undefined) throw new Error('The model is not open.');
    return this.worker;
  }

  get planSource(): PlanSource {
    return this.options.plan();
  }

  /** Waits until the model has been read (or could not be). */
  async settled(): Promise<DocumentState> {
    let reading;
    do await (reading = this.reading);
    while (reading !== this.reading);
    return this.document;
  }

  /** Reads model and plan again; an answer that is overtaken by a newer read is dropped. */
  refresh(): Promise<void> {
    const generation = ++this.generation;
    this.reading = this.read()
      .catch((error: unknown) => ({
        document: { kind: 'failed', fileName: fileName(this.uri), message: sentence(error) } as const,
        plan: { kind: 'none' } as const,
      }))
      .then(({ document, plan }) => {
        if (generation !== this.generation) return;
        this.document = document;
        this.plan = plan;
        this.unsaved = null;
        this.verification = null;
        this.changed.fire('document');
      });
    return this.reading;
  }

  /** Reads again once changes have settled. */
  refreshSoon(): void {
    clearTimeout(this.settle);
    this.settle = setTimeout(() => void this.refresh(), SETTLE_MS);
  }

  async openAnyway(): Promise<void> {
    this.sizeAccepted = true;
    await this.refresh();
  }

  async bind(bindings: Readonly<Record<string, number>>): Promise<void> {
    this.options.bindings.set(this.uri, { ...this.options.bindings.get(this.uri), ...bindings });
    await this.refresh();
  }

  get bindings(): Readonly<Record<string, number>> {
    return this.options.bindings.get(this.uri);
  }

  /** Shows a plan of the open model that is not saved; `null`: the saved one again. */
  async showUnsaved(text: string | null): Promise<void> {
    const plan = await this.reader.request('showPlan', { text });
    this.unsaved = text === null ? null : { text, plan };
    this.verification = null;
    this.changed.fire('plan');
  }

  showProgress(progress: RunProgress | null): void {
    this.progress = progress;
    this.changed.fire('progress');
  }

  showVerification(result: VerificationResult): void {
    this.verification = result;
    this.changed.fire('verification');
  }

  dispose(): void {
    this.generation++;
    clearTimeout(this.settle);
    this.worker?.dispose();
    for (const disposable of this.disposables) disposable.dispose();
  }

  private async read(): Promise<{ document: DocumentState; plan: PlanState }> {
    const settings = settingsFor(this.uri);
    const { size } = await stat(this.uri);
    if (size > settings.sizeLimitBytes && !this.sizeAccepted) {
      const limitBytes = settings.sizeLimitBytes;
      const document = { kind: 'confirm', fileName: fileName(this.uri), bytes: size, limitBytes } as const;
      return { document, plan: { kind: 'none' } };
    }
    const model = await modelSource(this.uri);
    return this.open(model, settings);
  }

  private open(model: ModelSource, { fuse, inPlace }: ReturnType<typeof settingsFor>): Promise<OpenedModel> {
    this.worker ??= this.options.startWorker();
    const plan = this.planSource;
    return this.worker.request('open', { model, plan, fuse, inPlace, bindings: this.bindings });
  }

  private watch(): void {
    const folder = vscode.Uri.joinPath(this.uri, '..');
    const stem = escapeGlob(fileName(this.uri).replace(/\.onnx$/i, ''));
    const pattern = `{${escapeGlob(fileName(this.uri))},${stem}*.memorianova.json}`;
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, pattern));
    const later = (): void => this.refreshSoon();
    this.disposables.push(
      watcher,
      watcher.onDidChange(later),
      watcher.onDidCreate(later),
      watcher.onDidDelete(later),
    );
  }
}

async function stat(uri: vscode.Uri): Promise<vscode.FileStat> {
  try {
    return await vscode.workspace.fs.stat(uri);
  } catch {
    throw new UserError(vscode.l10n.t('{0} is not there (any more).', fileName(uri)));
  }
}

export function fileName(uri: vscode.Uri): string {
  return uri.path.slice(uri.path.lastIndexOf('/') + 1);
}

/** A file name taken literally in a glob. */
function escapeGlob(name: string): string {
  return name.replace(/[[\]{}*?!,]/g, '[$&]');
}
