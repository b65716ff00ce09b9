import assert from 'node:assert';
import * as vscode from 'vscode';

describe('activation', () => {
  it('waits until it is needed', () => {
    const extension = vscode.extensions.getExtension('memorianova.memorianova');
    assert.ok(extension, 'the extension is installed');
    assert.equal(extension.isActive, false);
  });
});
