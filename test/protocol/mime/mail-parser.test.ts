/**
 * The parse trees that mail-parser's authors wrote for their messages: where each part starts and
 * ends, its type and name, and its octets after transfer decoding.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeCharset } from '../../../src/protocol/mime/charset.ts';
import { parseTree } from '../../../src/protocol/mime/tree.ts';
import type { MimePart } from '../../../src/protocol/mime/types.ts';
import { decodeBody, filesOf, readWithCrLf, suiteFolder } from './suites.ts';

interface TheirPart {
  readonly headers: readonly { name: string; value: { ContentType?: TheirType } }[];
  readonly body:
    | 'Multipart'
    | {
        Text?: string;
        Html?: string;
        Binary?: number[];
        InlineBinary?: number[];
        Message?: unknown;
        Multipart?: unknown;
      };
  readonly offset_header: number;
  readonly offset_body: number;
  readonly offset_end: number;
}
interface TheirType {
  readonly c_type: string;
  readonly c_subtype: string | null;
  readonly attributes: readonly { name: string; value: string }[] | null;
}

const { folder, skip } = suiteFolder('mime/mail-parser');

/** 8-bit octets that name no charset are Latin-1 to us and U+FFFD to them. */
function asTheyWrite(text: string | undefined, their: string | undefined): string | undefined {
  return their?.includes('\ufffd') ? text?.replaceAll(/[^\0-\x7f]/g, '\ufffd') : text;
}

/** Both sides in order of appearance, without multiparts; a message in a message is one part here. */
function ourParts(part: MimePart): MimePart[] {
  return part.kind === 'multipart' ? part.children.flatMap(ourParts) : [part];
}

function theirParts(path: string): TheirPart[] {
  const { parts } = JSON.parse(readFileSync(path, 'utf8')) as { parts: TheirPart[] };
  return parts.filter(({ body }) => typeof body === 'object' && !('Multipart' in body));
}

function eachMessage(check: (name: string, message: Buffer, pairs: [MimePart, TheirPart][]) => void): void {
  for (const group of ['legacy', 'rfc']) {
    for (const file of filesOf(join(folder, group), '.crlf.json')) {
      const message = readWithCrLf(join(folder, group, file.replace('.crlf.json', '.eml')));
      const ours = ourParts(parseTree(message).root);
      const theirs = theirParts(join(folder, group, file));
      assert.equal(ours.length, theirs.length, `${group}/${file}`);
      check(
        `${group}/${file}`,
        message,
        ours.map((part, index) => [part, theirs[index]!]),
      );
    }
  }
}

test("every part of mail-parser's messages starts and ends where its authors say", { skip }, () => {
  eachMessage((name, _message, pairs) => {
    for (const [our, their] of pairs)
      assert.deepEqual(
        [our.header.start, our.body.start, our.body.end],
        [their.offset_header, their.offset_body, their.offset_end],
        name,
      );
  });
});

const attribute = (their: TheirPart, header: string, name: string): string | undefined =>
  their.headers
    .find((field) => field.name === header)
    ?.value.ContentType?.attributes?.find((each) => each.name === name)?.value;

test('every part has the type and name that mail-parser reads', { skip }, () => {
  eachMessage((name, _message, pairs) => {
    for (const [our, their] of pairs) {
      const type = their.headers.find((field) => field.name === 'content_type')?.value.ContentType;
      if (type?.c_subtype) assert.equal(our.type.value, `${type.c_type}/${type.c_subtype}`.toLowerCase(), name);
      const filename = attribute(their, 'content_disposition', 'filename') ?? attribute(their, 'content_type', 'name');
      assert.equal(asTheyWrite(our.filename, filename), filename, name);
    }
  });
});

test('every leaf decodes to the octets and the text that mail-parser reads', { skip }, () => {
  let compared = 0;
  eachMessage((name, message, pairs) => {
    for (const [our, { body }] of pairs) {
      if (our.kind === 'message' || typeof body === 'string') continue;
      const decoded = decodeBody(our, message);
      // rfc/000 says base64 of text in plain words; they give up decoding, we tell.
      const bytes = decoded.isMalformed ? message.subarray(our.body.start, our.body.end) : decoded.bytes;
      const octets = body.Binary ?? body.InlineBinary;
      const text = body.Text ?? body.Html;
      if (octets) assert.deepEqual([...bytes], octets, name);
      else if (text !== undefined) {
        const charset = our.type.parameters.get('charset') ?? 'us-ascii';
        // Not in the Encoding Standard; reading text of every charset is not this room's work.
        if (charset.toLowerCase() === 'utf-7') continue;
        assert.equal(asTheyWrite(decodeCharset(bytes, charset), text), text, `${name} ${charset}`);
      } else continue;
      compared++;
    }
  });
  assert.ok(compared > 140, `compared ${compared}`);
});
