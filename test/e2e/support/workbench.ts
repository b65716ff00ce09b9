import type { Browser, FrameLocator, Locator, Page } from 'playwright-core';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { launchBrowser } from '../../../tools/editor/browser';
import { startCodeServer, type Server } from '../../../tools/editor/codeServer';
import { TEST_SETTINGS } from '../../../tools/editor/settings';
import { VSIX } from '../../../tools/pack';
import { projectFolder } from '../../../tools/project';

export type Theme = 'light' | 'dark' | 'hc-dark' | 'hc-light';

const THEME_NAMES: Readonly<Record<Theme, string>> = {
  light: 'Default Light Modern',
  dark: 'Default Dark Modern',
  'hc-dark': 'Default High Contrast',
  'hc-light': 'Default High Contrast Light',
};
const THEME_CLASSES: Readonly<Record<Theme, string>> = {
  light: 'vs:not(.hc-light)',
  dark: 'vs-dark',
  'hc-dark': 'hc-black',
  'hc-light': 'hc-light',
};
/** A tab shows well within this time once the click arrived. */
const OPENING_MS = 8000;
const OPENING_ATTEMPTS = 3;
/** A menu ignores clicks in its first 100 ms. */
const MENU_MS = 300;
/** Hovers and notifications fade in. */
const FADE_MS = 700;
/** A settings file is watched. */
const SETTLE_MS = 1_000;

/** A real VS Code with the packed extension, on a folder of the test's own. */
export class Workbench {
  private readonly errors: string[] = [];

  private constructor(
    readonly folder: string,
    readonly workspace: string,
    private readonly server: Server,
    private readonly browser: Browser,
    readonly page: Page,
    /** Of the workspace: they go before the user's. */
    private readonly settings: Record<string, unknown> = {},
  ) {}

  /** `prepare` fills the workspace folder before VS Code opens it. */
  static async open(
    prepare: (workspace: string) => void | Promise<void>,
    options: { theme?: Theme; settings?: Readonly<Record<string, unknown>>; size?: [number, number] } = {},
  ): Promise<Workbench> {
    const folder = mkdtempSync(join(tmpdir(), 'memorianova-e2e-'));
    const workspace = join(folder, 'workspace');
    mkdirSync(workspace);
    mkdirSync(join(workspace, '.vscode'));
    await prepare(workspace);
    const theme = { 'workbench.colorTheme': THEME_NAMES[options.theme ?? 'dark'] };
    const settings = { ...TEST_SETTINGS, ...theme, ...options.settings };
    const server = await startCodeServer({ folder, settings, vsix: VSIX });
    const browser = await launchBrowser();
    const [width, height] = options.size ?? [1440, 900];
    const context = await browser.newContext({ viewport: { width, height } });
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const page = await context.newPage();
    page.on('pageerror', (error) => bench.errors.push(error.stack ?? error.message));
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) bench.errors.push(message.text());
    });
    const bench = new Workbench(folder, workspace, server, browser, page);
    await bench.load();
    return bench;
  }

  /** Loads (again) the window, and waits until extensions are there: before, a text editor would take the file. */
  async load(): Promise<void> {
    await this.page.goto(`${this.server.url}?folder=${encodeURIComponent(this.workspace)}`);
    await this.page.waitForFunction(
      `performance.getEntriesByName('code/didLoadExtensions').length > 0`,
      undefined,
      { timeout: 60_000 },
    );
    await this.page.locator('.explorer-folders-view').waitFor();
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Errors of our own page: its script's, and breaches of its security policy. */
  ownErrors(): string[] {
    return this.errors.filter((error) => /memorianova|content security policy/i.test(error));
  }

  /** A file's row in the Explorer. */
  file(name: string): Locator {
    return this.page.locator(`.explorer-folders-view .monaco-list-row[aria-label^="${name}"]`);
  }

  /** Again where the click fell on a row that the Explorer was just drawing anew. */
  async openFile(name: string): Promise<void> {
    const tab = this.page.locator(`.tab[data-resource-name="${name}"]`);
    for (let attempt = 1; attempt < OPENING_ATTEMPTS; attempt++) {
      await this.file(name).dblclick();
      const isOpen = await tab.waitFor({ timeout: OPENING_MS }).then(
        () => true,
        () => false,
      );
      if (isOpen) return;
    }
    await this.file(name).dblclick();
    await tab.waitFor();
  }

  /** Chooses an entry of a file's context menu in the Explorer. */
  async explorerMenu(file: string, entry: string): Promise<void> {
    await this.file(file).click({ button: 'right' });
    await this.page.waitForTimeout(MENU_MS);
    await this.page.locator('.monaco-menu .action-label', { hasText: entry }).first().click();
  }

  /** Runs a command from the palette by its title. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-box input');
    await input.fill(`>${title}`);
    await this.quickPick(title).waitFor();
    await input.press('Enter');
  }

  quickPick(text: string): Locator {
    return this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
  }

  async choose(text: string): Promise<void> {
    await this.quickPick(text).waitFor();
    await this.page.waitForTimeout(MENU_MS);
    await this.quickPick(text).click();
  }

  /** Answers the question in the input box, wherever the focus is: a webview takes it when it has loaded. */
  async answer(text: string): Promise<void> {
    const input = this.page.locator('.quick-input-box input');
    await input.fill(text);
    await input.press('Enter');
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator('.notification-toast', { hasText: text });
  }

  /** The page inside the webview in front. */
  webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready').last().frameLocator('#active-frame');
  }

  tab(name: string): Locator {
    return this.page.locator(`.tab[data-resource-name="${name}"]`);
  }

  /** Changes settings of the running window. */
  async setting(values: Readonly<Record<string, unknown>>): Promise<void> {
    Object.assign(this.settings, values);
    writeFileSync(join(this.workspace, '.vscode/settings.json'), JSON.stringify(this.settings));
    await this.page.waitForTimeout(SETTLE_MS);
  }

  async theme(theme: Theme): Promise<void> {
    await this.setting({ 'workbench.colorTheme': THEME_NAMES[theme] });
    await this.page.locator(`.monaco-workbench.${THEME_CLASSES[theme]}`).waitFor();
  }

  async closeEditors(): Promise<void> {
    await this.command('View: Close All Editors');
    await this.page.locator('.tab').first().waitFor({ state: 'detached' });
  }

  /** Stops what a progress notification shows. */
  async cancelNotification(): Promise<void> {
    const toast = this.page.locator('.notification-toast').first();
    await toast.hover();
    await toast
      .locator('.monaco-button', { hasText: 'Cancel' })
      .or(toast.getByText('Cancel'))
      .first()
      .click();
  }

  async closeNotifications(): Promise<void> {
    await this.command('Notifications: Clear All Notifications');
    await this.page.locator('.notification-toast').first().waitFor({ state: 'hidden' });
  }

  /** A picture of the window for people, under `out/screenshots`. */
  async screenshot(name: string): Promise<string> {
    await this.page.waitForTimeout(FADE_MS);
    const path = projectFolder('out/screenshots', `${name}.png`);
    mkdirSync(dirname(path), { recursive: true });
    await this.page.screenshot({ path });
    return path;
  }
}
