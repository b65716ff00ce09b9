import assert from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { collectMessages, MESSAGES } from '../../../tools/l10n';
import { projectFolder } from '../../../tools/project';

interface Manifest {
  readonly main: string;
  readonly icon: string;
  readonly activationEvents: readonly string[];
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly menus: Readonly<Record<string, readonly { readonly command: string; readonly when: string }[]>>;
    readonly configuration: { readonly properties: Readonly<Record<string, unknown>> };
    readonly walkthroughs: readonly {
      readonly steps: readonly { readonly media: { readonly markdown: string } }[];
    }[];
    readonly jsonValidation: readonly { readonly url: string }[];
  };
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(projectFolder(name), 'utf8')) as T;
}

describe('manifest', () => {
  const text = readFileSync(projectFolder('package.json'), 'utf8');
  const manifest = read<Manifest>('package.json');

  it('has a text for every placeholder, and no other', () => {
    const texts = Object.keys(read<Record<string, string>>('package.nls.json'));
    const used = [...text.matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key);
    assert.deepEqual([...new Set(used)].sort(), texts.sort());
  });

  it('never starts with the editor', () => assert.deepEqual(manifest.activationEvents, []));

  it('shows its menu entries for .onnx files only', () => {
    for (const entries of Object.values(manifest.contributes.menus))
      for (const { command, when } of entries) {
        assert.match(when, /^resourceExtname == \.onnx/, command);
        assert.ok(
          manifest.contributes.commands.some((known) => known.command === command),
          command,
        );
      }
  });

  it('names files that are there', () => {
    const { walkthroughs, jsonValidation } = manifest.contributes;
    const media = walkthroughs.flatMap(({ steps }) => steps.map((step) => step.media.markdown));
    for (const file of [manifest.icon, ...media, ...jsonValidation.map(({ url }) => url)])
      assert.ok(existsSync(projectFolder(file)), file);
  });

  it('documents every setting that the host reads', () => {
    const source = readFileSync(projectFolder('src/host/settings.ts'), 'utf8');
    const read_ = [...source.matchAll(/value(?:<[^>]*(?:\[[^\]]*\])?>)?\('(\w+)'\)/g)].map(
      ([, name]) => `memorianova.${name}`,
    );
    assert.deepEqual(read_.sort(), Object.keys(manifest.contributes.configuration.properties).sort());
  });
});

describe('messages for people', () => {
  it('stand in the bundle that translators translate (npm run l10n writes it)', () => {
    assert.deepEqual(JSON.parse(readFileSync(MESSAGES, 'utf8')), collectMessages());
  });
});
