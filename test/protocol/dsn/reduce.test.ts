import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { composeDsn } from '../../../src/protocol/dsn/compose.ts';
import { parseDsn } from '../../../src/protocol/dsn/parse.ts';
import { reduceReport, reducible } from '../../../src/protocol/dsn/reduce.ts';
import type { DsnReport, Returned } from '../../../src/protocol/dsn/types.ts';
import { decodeQuotedPrintable } from '../../../src/protocol/mime/quoted-printable.ts';
import { parseTree } from '../../../src/protocol/mime/tree.ts';

const report: Omit<DsnReport, 'returned'> = {
  reportingMta: 'mx.example.com',
  from: 'mailer-daemon@mx.example.com',
  to: 'alice@example.com',
  arrivedAt: 0,
  recipients: [{ action: 'failed', finalRecipient: 'bob@example.org', status: '5.1.1' }],
  date: 0,
  messageId: '<2@mx.example.com>',
  boundary: 'made-by-chance',
};

const HEADER = Buffer.from('From: alice@example.com\r\nSubject: Grüße\r\n');
const ORIGINAL = Buffer.concat([HEADER, Buffer.from('\r\nthe bödy\r\n')]);
const FULL: Returned = { kind: 'full', sizeBytes: ORIGINAL.length, body: '8BITMIME', smtputf8: false, header: HEADER };

function written(of: DsnReport): Buffer {
  const pieces = composeDsn(of).segments.map((part) =>
    part.kind === 'bytes' ? part.bytes : ORIGINAL.subarray(part.start, part.end),
  );
  return Buffer.concat(pieces);
}

function reduced(message: Buffer, left: 'header' | 'nothing'): Buffer {
  const found = reducible(parseTree(message))!;
  const { head, original } = found;
  const kept = left === 'header' ? message.subarray(original.start, original.end) : undefined;
  return Buffer.from(reduceReport(found, message.subarray(head.start, head.end), kept));
}

const typesOf = (message: Buffer) => {
  const tree = parseTree(message);
  assert.deepEqual(tree.problems, []);
  return tree.root.children.map(({ type }) => type.value);
};

test('a report without the body of the original has its header in ASCII, and says so', () => {
  const message = reduced(written({ ...report, returned: FULL }), 'header');
  assert.deepEqual(typesOf(message), ['text/plain', 'message/delivery-status', 'text/rfc822-headers']);
  assert.ok(message.every((octet) => octet < 128));
  const part = parseTree(message).root.children[2]!;
  assert.equal(part.encoding, 'quoted-printable');
  assert.deepEqual(Buffer.from(decodeQuotedPrintable(message.subarray(part.body.start, part.body.end)).bytes), HEADER);
  assert.match(message.toString(), /^The header of your message is attached/m);
  assert.doesNotMatch(message.toString(), /Your message is attached|Content-Transfer-Encoding: 8bit/);
});

test('a report without anything of the original is still whole for people and programs', () => {
  for (const returned of [FULL, { kind: 'headers', header: HEADER }] as const) {
    const message = reduced(written({ ...report, returned }), 'nothing');
    assert.deepEqual(typesOf(message), ['text/plain', 'message/delivery-status']);
    assert.equal(message.toString(), written({ ...report, returned: { kind: 'none' } }).toString());
  }
});

test('what others are quoted with is not taken for our words', () => {
  const text = '550 Your message is attached, behind a report for mail programs.';
  const diagnostic = { saidBy: 'remote', text } as const;
  const recipients = [{ ...report.recipients[0]!, diagnostic }];
  const message = reduced(written({ ...report, recipients, returned: FULL }), 'header').toString();
  assert.equal(message.split('Your message is attached').length, 3, 'quoted for people and for programs');
  assert.match(message, /^The header of your message is attached/m);
});

test('a message that is no report, or carries nothing, is not reduced', () => {
  assert.equal(reducible(parseTree(ORIGINAL)), undefined);
  assert.equal(reducible(parseTree(written({ ...report, returned: { kind: 'none' } }))), undefined);
});

test('whatever the original holds, what is left of the report is well formed ASCII in short lines', () => {
  const header = fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(header, fc.constantFrom('header', 'nothing'), (original, left) => {
      const found = reducible(parseTree(written({ ...report, returned: FULL })))!;
      const message = written({ ...report, returned: FULL });
      const kept = left === 'header' ? original : undefined;
      const result = Buffer.from(reduceReport(found, message.subarray(0, found.head.end), kept));
      for (const line of result.toString('latin1').split('\r\n')) assert.match(line, /^[^\r\n\0\x80-\xff]{0,998}$/);
      const status = parseTree(result).root.children[1]!.body;
      assert.equal(parseDsn(result.subarray(status.start, status.end))?.recipients[0]?.status, '5.1.1');
    }),
  );
});
