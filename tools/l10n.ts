import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { projectFolder } from './project';

export const MESSAGES = projectFolder('l10n/bundle.l10n.json');

/** Every message that `src/host` passes to `vscode.l10n.t`: what translators translate. */
export function collectMessages(): Record<string, string> {
  const folder = projectFolder('src/host');
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  const messages = files.flatMap((name) => messagesIn(join(folder, name)));
  return Object.fromEntries([...new Set(messages)].sort().map((message) => [message, message]));
}

function messagesIn(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText(source) === 'vscode.l10n.t') {
      const [message] = node.arguments;
      if (message === undefined || !ts.isStringLiteralLike(message))
        throw new Error(`${file}: the first argument of l10n.t is not a plain text: ${node.getText(source)}`);
      found.push(message.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

if (require.main === module) writeFileSync(MESSAGES, `${JSON.stringify(collectMessages(), undefined, 2)}\n`);
