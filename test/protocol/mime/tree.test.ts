import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MIME_LIMITS } from '../../../src/protocol/mime/limits.ts';
import { parseTree } from '../../../src/protocol/mime/tree.ts';
import { createTreeBuilder } from '../../../src/protocol/mime/tree-builder.ts';
import type { MimePart } from '../../../src/protocol/mime/types.ts';

const crlf = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'), 'utf8');
const codes = (message: Uint8Array): string[] => parseTree(message).problems.map((problem) => problem.code);
const outline = (part: MimePart): string =>
  part.children.length === 0 ? part.type.value : `${part.type.value}(${part.children.map(outline).join(' ')})`;

const nested = crlf(`From: a@example.com
Content-Type: multipart/mixed; boundary="out er"

preamble
--out er
Content-Type: multipart/alternative; boundary=inner

--inner

plain
--inner
Content-Type: TEXT/HTML; charset="utf-8" (comment)
Content-Transfer-Encoding: Quoted-Printable

<b>
--inner--
--out er \t
Content-Type: message/rfc822

Subject: forwarded
Content-Type: multipart/digest; boundary=digest

--digest

Subject: one

first
--digest--
--out er--
epilogue
`);

test('a nested message is read as its writer meant it', () => {
  const tree = parseTree(nested);
  assert.equal(
    outline(tree.root),
    'multipart/mixed(multipart/alternative(text/plain text/html) message/rfc822(multipart/digest(message/rfc822(text/plain))))',
  );
  assert.deepEqual(tree.problems, []);
  assert.equal(tree.partCount, 8);
});

test('a body ends before the line break that belongs to its boundary', () => {
  const html = parseTree(nested).root.children[0]!.children[1]!;
  assert.equal(nested.toString('latin1', html.body.start, html.body.end), '<b>');
  assert.equal(html.encoding, 'quoted-printable');
  assert.equal(html.type.parameters.get('charset'), 'utf-8');
});

test('the tree is the same at every split of the message', () => {
  const whole = JSON.stringify(parseTree(nested));
  for (let first = 0; first <= nested.length; first++) {
    const builder = createTreeBuilder();
    builder.push(nested.subarray(0, first));
    for (let at = first; at < nested.length; at += 7) builder.push(nested.subarray(at, at + 7));
    assert.equal(JSON.stringify(builder.end()), whole, `split at ${first}`);
  }
});

test('names of files are read in the forms that senders write', () => {
  const name = (disposition: string): string | undefined =>
    parseTree(crlf(`Content-Disposition: attachment; ${disposition}\n\nx`)).root.filename;
  assert.equal(name('filename=plain.txt'), 'plain.txt');
  assert.equal(name('filename="with \\"quotes\\".txt"'), 'with "quotes".txt');
  assert.equal(name("filename*=utf-8'de'Gr%C3%BC%C3%9Fe.txt"), 'Grüße.txt');
  assert.equal(name("filename*0*=iso-8859-1''Gr%FC; filename*1=sse; filename*2=.txt"), 'Grüsse.txt');
  assert.equal(name('filename="=?utf-8?Q?Gr=C3=BC=C3=9Fe?="'), 'Grüße');
  assert.equal(name('filename="Grüße.txt"'), 'Grüße.txt');
});

test('contradictions that readers resolve differently are told', () => {
  const cases: [string, string][] = [
    ['Content-Type: text/plain\nContent-Type: text/html\n\nx', 'duplicate-content-field'],
    ['Content-Transfer-Encoding: 7bit\ncontent-transfer-encoding: base64\n\nx', 'duplicate-content-field'],
    ['Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--a\n\nx\n--a--\n', 'duplicate-parameter'],
    ['Content-Type: multipart/mixed; boundary=a; boundary*0=b\n\n--a\n\nx\n--a--\n', 'duplicate-parameter'],
    ['Content-Type: multipart/mixed\n\n--a\n\nx\n--a--\n', 'missing-boundary-parameter'],
    ['Content-Type: multipart/mixed; boundary=a\n\nnothing', 'boundary-not-found'],
    ['Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n', 'missing-close-boundary'],
    ['Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--a--\n--a\n\ny\n', 'boundary-after-close'],
    ['Content-Type: multipart/mixed; boundary=a\n\n--a\nSubject: x\n--a--\n', 'missing-header-end'],
    ['Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--ab\n--a--\n', 'boundary-like-line'],
    [
      'Content-Type: multipart/mixed; boundary=a\nContent-Transfer-Encoding: base64\n\n--a\n\nx\n--a--\n',
      'encoded-composite',
    ],
    ['Content-Transfer-Encoding: x-uuencode\n\nx', 'unknown-encoding'],
    ['Content-Transfer-Encoding: base64; x\n\nx', 'malformed-encoding'],
    ['Content-Type: text/plain; "\n\nx', 'malformed-content-type'],
    ['Content-Type: text\n\nx', 'malformed-content-type'],
    ['Content-Disposition: attachment; filename=a b\n\nx', 'malformed-disposition'],
    ['no header line\nSubject: x\n\nx', 'malformed-header-line'],
  ];
  for (const [message, code] of cases)
    assert.ok(codes(crlf(message)).includes(code), `${code}: ${codes(crlf(message))}`);
});

test('an attacker nests parts until a reader without bounds breaks', () => {
  const levels = 1000;
  let message = '';
  for (let level = 0; level < levels; level++)
    message += `Content-Type: multipart/mixed; boundary=b${level}x\n\n--b${level}x\n`;
  assert.ok(codes(crlf(message)).includes('too-deep'));
  assert.ok(codes(crlf('Content-Type: message/rfc822\n\n'.repeat(levels))).includes('too-deep'));
});

test('an attacker sends more parts than a tree should hold', () => {
  const message = crlf(
    `Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\nx\n'.repeat(MIME_LIMITS.parts + 10)}--b--\n`,
  );
  const tree = parseTree(message);
  assert.equal(tree.partCount, MIME_LIMITS.parts);
  assert.ok(tree.problems.some((problem) => problem.code === 'too-many-parts'));
});

test('an attacker makes the header of a part endless', () => {
  const message = crlf(`Content-Type: multipart/mixed; boundary=b\n\n--b\n${'X: y\n'.repeat(60_000)}\nbody\n--b--\n`);
  assert.ok(codes(message).some((code) => code === 'too-many-fields' || code === 'header-too-long'));
});

test('an empty message and a header alone are messages', () => {
  assert.equal(parseTree(Buffer.alloc(0)).root.type.value, 'text/plain');
  const tree = parseTree(crlf('Subject: x\n'));
  assert.deepEqual([tree.root.body.start, tree.root.body.end, tree.problems.length], [12, 12, 0]);
});

test('no octets make the tree throw, differ by split, or point outside the message', () => {
  const pieces = fc.constantFrom(
    'Content-Type: multipart/mixed; boundary=a\r\n',
    'Content-Type: message/rfc822\r\n',
    'Content-Type: multipart/mixed; boundary="a b"\r\n',
    '\r\n',
    '\n',
    '\r',
    '--a\r\n',
    '--a--\r\n',
    '--a b\r\n',
    '--a',
    '--',
    ' ',
    'x',
    '\0',
    'é',
    'Content-Transfer-Encoding: base64\r\n',
  );
  const inside = (part: MimePart, start: number, end: number): void => {
    assert.ok(start <= part.header.start && part.header.start <= part.header.end);
    assert.ok(part.header.end <= part.body.start && part.body.start <= part.body.end && part.body.end <= end);
    for (const child of part.children) inside(child, part.body.start, part.body.end);
  };
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), (parts, size) => {
      const message = Buffer.from(parts.join(''));
      const tree = parseTree(message);
      inside(tree.root, 0, message.length);
      const builder = createTreeBuilder();
      for (let at = 0; at < message.length; at += size) builder.push(message.subarray(at, at + size));
      assert.deepEqual(builder.end(), tree);
    }),
    { numRuns: 1000 },
  );
});
