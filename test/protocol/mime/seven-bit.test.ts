import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRewriter } from '../../../src/protocol/mime/rewrite.ts';
import { toSevenBit } from '../../../src/protocol/mime/seven-bit.ts';
import { parseTree } from '../../../src/protocol/mime/tree.ts';
import { decodeBody, readLeaves } from './suites.ts';

const crlf = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'), 'utf8');

function convert(message: Uint8Array, chunkBytes = message.length): Buffer | string {
  const result = toSevenBit(parseTree(message));
  if (result.kind === 'unchanged') return Buffer.from(message);
  if (result.kind === 'cannot') return result.reason;
  const rewriter = createRewriter(result.segments);
  const out: Uint8Array[] = [];
  for (let at = 0; at < message.length; at += chunkBytes)
    out.push(...rewriter.push(message.subarray(at, at + chunkBytes)));
  out.push(...rewriter.end());
  return Buffer.concat(out);
}

function hexLeaves(message: Uint8Array): string[] {
  return readLeaves(message).leaves.map((leaf) => Buffer.from(leaf.bytes).toString('hex'));
}

function assertSevenBit(message: Buffer): void {
  assert.ok(!message.some((octet) => octet > 127 || octet === 0), 'an octet is not 7-bit');
  for (const line of message.toString('latin1').split('\r\n')) {
    assert.ok(line.length <= 998, 'a line is too long');
    assert.ok(!/[\r\n]/.test(line), 'a CR or LF stands alone');
  }
}

test('8-bit text without a MIME header becomes quoted-printable text of unknown charset', () => {
  assert.equal(
    String(convert(crlf('From: a@example.com\n\nGrüße = gut \n'))),
    'From: a@example.com\r\nContent-Transfer-Encoding: quoted-printable\r\n' +
      'Content-Type: text/plain; charset=unknown-8bit\r\nMIME-Version: 1.0\r\n\r\nGr=C3=BC=C3=9Fe =3D gut=20\r\n',
  );
});

const mixed = crlf(`From: a@example.com
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b
Content-Transfer-Encoding: 8bit

preamble
--b
Content-Type: text/plain; charset=utf-8
content-transfer-encoding: 8bit
X-Other: stays

Grüße
--b
Content-Type: application/octet-stream
Content-Transfer-Encoding: 8bit

Grüße
--b
Content-Type: text/plain

plain
--b--
epilogue
`);

test('leaves are encoded, the multipart says 7bit, and all else stays as it is', () => {
  assert.equal(
    String(convert(mixed)),
    String(mixed)
      .replace('Content-Transfer-Encoding: 8bit', 'Content-Transfer-Encoding: 7bit')
      .replace('content-transfer-encoding: 8bit', 'Content-Transfer-Encoding: quoted-printable')
      .replace('Content-Transfer-Encoding: 8bit', 'Content-Transfer-Encoding: base64')
      .replace('Grüße', 'Gr=C3=BC=C3=9Fe')
      .replace('Grüße', 'R3LDvMOfZQ=='),
  );
});

test('a message of 7-bit octets stays untouched, whatever its labels say and however long its lines are', () => {
  const message = crlf(`Content-Transfer-Encoding: 8bit\n\n${'x'.repeat(2000)}\n`);
  assert.deepEqual(convert(message), message);
});

test('the conversion is the same at every chunk size', () => {
  const whole = convert(mixed);
  for (let size = 1; size < mixed.length; size += size < 80 ? 1 : 97) assert.deepEqual(convert(mixed, size), whole);
});

test('what is signed or encrypted is never changed', () => {
  const inside = (type: string): Buffer =>
    crlf(
      `Content-Type: ${type}; boundary=s\n\n--s\nContent-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\nü\n--s--\n`,
    );
  assert.equal(convert(inside('multipart/signed')), 'protected');
  assert.equal(convert(inside('Multipart/Encrypted')), 'protected');
  assert.equal(convert(crlf('Content-Type: application/pkcs7-mime\n\nü\n')), 'protected');
});

test('a signed part that is 7-bit passes whole inside a message that is converted', () => {
  const signed =
    '--b\r\nContent-Type: multipart/signed; boundary=s\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--s\r\n\r\nhi \r\n--s--\r\n';
  const message = Buffer.from(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${signed}--b\r\n\r\nü\r\n--b--\r\n`);
  assert.ok(String(convert(message)).includes(signed));
});

test('8-bit where no encoding reaches is told by its place', () => {
  assert.equal(convert(crlf('Subject: ü\n\nbody\n')), 'header-8bit');
  assert.equal(convert(crlf('Content-Type: multipart/mixed; boundary=b\n\nü\n--b\n\nx\n--b--\n')), 'malformed');
  assert.equal(convert(crlf('Content-Transfer-Encoding: base64\n\nü\n')), 'not-encodable');
  assert.equal(convert(crlf('Content-Type: message/partial\n\nü\n')), 'not-encodable');
  assert.equal(convert(crlf('Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: 8bit\n\nü\n')), 'malformed');
});

test('a forwarded message is converted inside; its 8-bit header cannot be, but message/global hides it in base64', () => {
  const forward = (type: string, subject: string): Buffer =>
    crlf(
      `Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: ${type}\n\nSubject: ${subject}\n\nü\n--b--\n`,
    );
  assert.match(String(convert(forward('message/rfc822', 'x'))), /\r\n\r\n=C3=BC\r\n--b--/);
  assert.equal(convert(forward('message/rfc822', 'ü')), 'header-8bit');
  const converted = convert(forward('message/global', 'ü')) as Buffer;
  assertSevenBit(converted);
  assert.equal(Buffer.from(readLeaves(converted).leaves[0]!.bytes).toString(), 'ü');
});

test('binary content becomes base64 with every octet kept', () => {
  const body = Buffer.from([0, 1, 13, 2, 10, 255, 13, 10, 10]);
  const message = Buffer.concat([crlf('Content-Type: text/plain\nContent-Transfer-Encoding: binary\n\n'), body]);
  const converted = convert(message) as Buffer;
  assertSevenBit(converted);
  assert.ok(converted.toString().endsWith('\r\n'));
  assert.deepEqual(Buffer.from(decodeBody(parseTree(converted).root, converted).bytes), body);
});

test('an attacker lets our line breaking write a boundary that opens a part of his', () => {
  const bait = `é${'x'.repeat(68)}--b`;
  for (let pad = 0; pad < 6; pad++) {
    const message = crlf(
      `Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n${'x'.repeat(pad)}${bait}\n--b--\n`,
    );
    const converted = convert(message) as Buffer;
    assert.equal(readLeaves(converted).leaves.length, 1);
    assert.deepEqual(hexLeaves(converted), hexLeaves(message));
  }
});

const octets = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text, 'utf8')),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc
    .array(fc.constantFrom('ü', '=', ' ', '\t', '\r\n', '-', 'word', '.', 'x'.repeat(80)), { maxLength: 60 })
    .map((words) => Buffer.from(words.join(''))),
  fc.integer({ min: 990, max: 3000 }).map((length) => Buffer.alloc(length, 'long ')),
);
const leaf = fc.record({
  type: fc.constantFrom('text/plain', 'text/html; charset=utf-8', 'application/octet-stream', 'image/png'),
  encoding: fc.constantFrom('', 'Content-Transfer-Encoding: 8bit\r\n', 'Content-Transfer-Encoding: binary\r\n'),
  body: octets,
});
type Node = { boundary: string; wrap: boolean; children: (Node | { type: string; encoding: string; body: Buffer })[] };
const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.record({
    boundary: fc.uuid(),
    wrap: fc.boolean(),
    children: fc.array(fc.oneof({ depthSize: 'small' }, leaf, tie('node')), { minLength: 1, maxLength: 3 }),
  }),
}));

function write(part: Node | { type: string; encoding: string; body: Buffer }): Buffer<ArrayBuffer> {
  if ('body' in part)
    return Buffer.concat([Buffer.from(`Content-Type: ${part.type}\r\n${part.encoding}\r\n`), part.body]);
  const pieces = [
    Buffer.from(
      `Content-Type: multipart/mixed;\r\n boundary="${part.boundary}"\r\nContent-Transfer-Encoding: binary\r\n\r\n`,
    ),
  ];
  for (const child of part.children)
    pieces.push(Buffer.from(`--${part.boundary}\r\n`), write(child), Buffer.from('\r\n'));
  pieces.push(Buffer.from(`--${part.boundary}--\r\n`));
  const whole = Buffer.concat(pieces);
  return part.wrap
    ? Buffer.concat([Buffer.from('Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n'), whole])
    : whole;
}

test('whatever the leaves hold, the result is 7-bit in short lines and decodes to the same octets', () => {
  fc.assert(
    fc.property(node, fc.integer({ min: 5, max: 700 }), (tree, chunkBytes) => {
      const message = write(tree);
      const converted = convert(message, chunkBytes);
      assert.ok(typeof converted !== 'string', `cannot: ${converted}`);
      if (!converted.equals(message)) assertSevenBit(converted);
      assert.deepEqual(hexLeaves(converted), hexLeaves(message));
    }),
    { numRuns: 100 },
  );
});
