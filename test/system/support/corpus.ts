/** Raw mail of the suites' corpora, from their tar.gz archives. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

export const SUITES = process.env['POSTERN_SUITES'] ?? resolve(import.meta.dirname, '../../../../shared/suites');

export interface CorpusMessage {
  readonly name: string;
  /** Line ends are CRLF; a leading mbox line is gone. */
  readonly content: Buffer;
}

export function corpusArchives(): string[] {
  const folder = join(SUITES, 'corpus');
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.tar.gz'))
        .map((name) => join(folder, name))
    : [];
}

const BLOCK = 512;

/** The regular files of a ustar archive. */
export function* readCorpus(archive: string): Generator<CorpusMessage> {
  const tar = gunzipSync(readFileSync(archive));
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const name = tar.toString('latin1', at, at + 100).replace(/\0.*$/s, '');
    if (name === '') return;
    const sizeBytes = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8);
    const type = tar.toString('latin1', at + 156, at + 157);
    const body = tar.subarray(at + BLOCK, at + BLOCK + sizeBytes);
    at += BLOCK + Math.ceil(sizeBytes / BLOCK) * BLOCK;
    if ((type === '0' || type === '\0') && sizeBytes > 0) yield { name, content: asSent(body) };
  }
}

/** As a mail client would send it: LF becomes CRLF (a CRLF stays), `From ` of mbox goes, a last line end comes. */
function asSent(raw: Buffer): Buffer {
  let text = raw
    .toString('latin1')
    .replace(/^From [^\n]*\n/, '')
    .replace(/\r?\n/g, '\r\n');
  if (!text.endsWith('\r\n')) text += '\r\n';
  return Buffer.from(text, 'latin1');
}

/** The `.eml` files of a folder of the corpora; none if it is not there. */
export function* readFolder(folder: string): Generator<CorpusMessage> {
  const path = join(SUITES, 'corpus', folder);
  if (!existsSync(path)) return;
  for (const name of readdirSync(path).sort())
    if (name.endsWith('.eml')) yield { name: `${folder}/${name}`, content: asSent(readFileSync(join(path, name))) };
}
