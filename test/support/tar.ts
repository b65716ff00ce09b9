import { gunzipSync } from 'node:zlib';

const BLOCK = 512;

/** Regular files of a `.tar.gz` by path, as views into one buffer. Enough of the format for ustar and GNU archives of plain files. */
export function readTarGz(archive: Uint8Array): Map<string, Uint8Array> {
  const tar = gunzipSync(archive);
  const files = new Map<string, Uint8Array>();
  let longName = '';
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const size = parseInt(text(tar, at + 124, 12), 8) || 0;
    const kind = String.fromCharCode(tar[at + 156]);
    const body = tar.subarray(at + BLOCK, at + BLOCK + size);
    const prefix = text(tar, at + 257, 5) === 'ustar' ? text(tar, at + 345, 155) : '';
    const name = longName || (prefix ? `${prefix}/` : '') + text(tar, at, 100);
    longName = kind === 'L' ? text(body, 0, size) : '';
    if (kind === '0' || kind === '\0') files.set(name.replace(/^\.\//, ''), body);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

function text(bytes: Uint8Array, start: number, length: number): string {
  const end = bytes.subarray(start, start + length).indexOf(0);
  return Buffer.from(bytes.subarray(start, start + (end < 0 ? length : end))).toString('utf8');
}
