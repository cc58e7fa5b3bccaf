/** The published MIME suites, found by POSTERN_SUITES (default ../shared/suites), and the decoding that they compare by. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeBase64 } from '../../../src/protocol/mime/base64.ts';
import { decodeQuotedPrintable } from '../../../src/protocol/mime/quoted-printable.ts';
import { parseTree } from '../../../src/protocol/mime/tree.ts';
import type { MimePart, MimeProblemCode } from '../../../src/protocol/mime/types.ts';
import { SUITES } from '../../system/support/corpus.ts';

export function suiteFolder(name: string): { folder: string; skip: string | false } {
  const folder = join(SUITES, name);
  return { folder, skip: existsSync(folder) ? false : `suite ${name} is not at ${folder}` };
}

export function filesOf(folder: string, ending: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .sort();
}

/** Mail on disk often has LF; on the wire it has CRLF. */
export function readWithCrLf(file: string): Buffer {
  return Buffer.from(readFileSync(file, 'latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1');
}

export interface Leaf {
  readonly part: MimePart;
  readonly raw: Uint8Array;
  readonly bytes: Uint8Array;
}

export interface Read {
  readonly leaves: readonly Leaf[];
  readonly problems: ReadonlySet<MimeProblemCode | 'malformed-body'>;
}

export function decodeBody(part: MimePart, message: Uint8Array): { bytes: Uint8Array; isMalformed: boolean } {
  const raw = message.subarray(part.body.start, part.body.end);
  if (part.encoding === 'base64') return decodeBase64(raw);
  if (part.encoding === 'quoted-printable') return decodeQuotedPrintable(raw);
  return { bytes: raw, isMalformed: false };
}

/** As a scanner reads a message: every leaf decoded, messages inside encoded leaves read too. */
export function readLeaves(message: Uint8Array): Read {
  const tree = parseTree(message);
  const problems = new Set<MimeProblemCode | 'malformed-body'>(tree.problems.map((problem) => problem.code));
  const leaves: Leaf[] = [];
  const visit = (part: MimePart): void => {
    if (part.kind !== 'leaf') {
      part.children.forEach(visit);
      return;
    }
    const { bytes, isMalformed } = decodeBody(part, message);
    if (isMalformed) problems.add('malformed-body');
    if (/^message\/(global|rfc822)$/.test(part.type.value) && bytes.length < message.length) {
      const inner = readLeaves(bytes);
      leaves.push(...inner.leaves);
      for (const problem of inner.problems) problems.add(problem);
    } else leaves.push({ part, raw: message.subarray(part.body.start, part.body.end), bytes });
  };
  visit(tree.root);
  return { leaves, problems };
}
