import type { DeviceHoldings, SavedFile } from '../../src/protocol/webview';
import type { ChartCanvas } from '../chartCanvas';
import type { MenuEntry } from '../panels/menu';
import type { Session } from '../session';
import { mix } from '../theme';
import type { LifetimeContent } from './content';
import { csvOf, jsonOf, modelExplorerData, netronAttachment, type ExportSource } from './exportFiles';
import { tileColors } from './paint';
import { pictureSvg } from './svg';

interface Picture {
  readonly chart: ChartCanvas;
  readonly content: LifetimeContent;
}

/** What the Memory view can be written as; `save` gets a file with its suggested name. */
export function exportEntries(
  session: Session,
  { chart, content }: Picture,
  holdings: readonly DeviceHoldings[] | null,
  save: (file: SavedFile) => void,
): MenuEntry[] {
  const { opened, memory, plan, theme } = session;
  if (opened === null || memory === null) return [];
  const stem = opened.fileName.replace(/\.onnx$/i, '');
  const source: ExportSource = { fileName: opened.fileName, graph: opened.graph, memory, plan, holdings };
  const text = (name: string, content: () => string) => (): void =>
    save({ name: `${stem}.${name}`, content: content() });
  const colors = tileColors(session);
  const svg = (): string =>
    pictureSvg(content, {
      ...{ theme, plan, names: opened.graph.tensors.names },
      fill: (box) => mix(theme.background, colors(box), 0.5),
      baseFill: mix(theme.background, theme.foreground, 0.2),
    });
  return [
    { label: 'Table as CSV', chosen: text('lifetimes.csv', () => csvOf(source)) },
    { label: 'Table as JSON', chosen: text('lifetimes.json', () => jsonOf(source)) },
    { label: 'Picture as SVG', chosen: text('lifetimes.svg', svg) },
    {
      label: 'Picture as PNG',
      chosen: () => void png(chart).then((bytes) => save({ name: `${stem}.lifetimes.png`, content: bytes })),
    },
    { label: 'Netron attachment', chosen: text('netron.json', () => netronAttachment(source)) },
    { label: 'Model Explorer node data', chosen: text('node-data.json', () => modelExplorerData(source)) },
  ];
}

/** What is on the screen, at the screen's resolution, on the editor's background. */
async function png({ canvas }: ChartCanvas): Promise<Uint8Array> {
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext('2d')!;
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  const blob = await new Promise<Blob | null>((done) => copy.toBlob(done, 'image/png'));
  return new Uint8Array(await blob!.arrayBuffer());
}
