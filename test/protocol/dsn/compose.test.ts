import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { composeDsn, recipientTexts } from '../../../src/protocol/dsn/compose.ts';
import { parseDsn } from '../../../src/protocol/dsn/parse.ts';
import type { Dsn, DsnRecipient, DsnReport } from '../../../src/protocol/dsn/types.ts';
import { decodeQuotedPrintable } from '../../../src/protocol/mime/quoted-printable.ts';
import { parseTree } from '../../../src/protocol/mime/tree.ts';
import type { MimePart } from '../../../src/protocol/mime/types.ts';

const original = Buffer.from('From: alice@example.com\r\nSubject: Hello\r\n\r\nthe body\r\n');

const failed: DsnRecipient = {
  action: 'failed',
  finalRecipient: 'bob@example.org',
  orcpt: { type: 'rfc822', address: 'Bob@example.org' },
  status: '5.1.1',
  remoteMta: 'mail.example.org',
  diagnostic: { saidBy: 'remote', text: '550 5.1.1 <bob@example.org>: no such user' },
  lastAttemptAt: Date.UTC(2026, 10, 22, 4, 45),
};

const report: DsnReport = {
  reportingMta: 'mx.example.com',
  from: 'postmaster@example.com',
  to: 'alice@example.com',
  arrivedAt: Date.UTC(2026, 10, 22, 4, 44, 50),
  envid: 'QQ314159',
  subject: 'Hello',
  originalMessageId: '<1@example.com>',
  recipients: [failed],
  returned: { kind: 'headers', header: original.subarray(0, 42) },
  date: Date.UTC(2026, 10, 22, 5),
  messageId: '<2@mx.example.com>',
  boundary: 'made-by-chance',
};

function write(dsn: Dsn): Buffer {
  const whole = Buffer.concat(
    dsn.segments.map((part) => (part.kind === 'bytes' ? part.bytes : original.subarray(part.start, part.end))),
  );
  assert.equal(whole.length, dsn.sizeBytes);
  return whole;
}

function partsOf(message: Buffer): { parts: readonly MimePart[]; body: (index: number) => string } {
  const tree = parseTree(message);
  assert.deepEqual(tree.problems, []);
  assert.equal(tree.root.type.value, 'multipart/report');
  assert.equal(tree.root.type.parameters.get('report-type'), 'delivery-status');
  const parts = tree.root.children;
  return {
    parts,
    body: (index) => {
      const { body, encoding } = parts[index]!;
      const raw = message.subarray(body.start, body.end);
      return Buffer.from(encoding === 'quoted-printable' ? decodeQuotedPrintable(raw).bytes : raw).toString('utf8');
    },
  };
}

test('a report whose recipients were written some at a time is the same report', () => {
  const recipients = Array.from({ length: 7 }, (_, n) => ({ ...failed, finalRecipient: `b${n}@ex\u00e4mple.org` }));
  const many = { ...report, recipients };
  const texts = [0, 3, 6].flatMap((at) => recipientTexts(recipients.slice(at, at + 3), true));
  assert.deepEqual(write(composeDsn(many, texts)), write(composeDsn(many)));
});

test('a report has a text for people, a status for programs and the header of the original', () => {
  const dsn = composeDsn(report);
  const { parts, body } = partsOf(write(dsn));
  assert.deepEqual(
    parts.map((part) => part.type.value),
    ['text/plain', 'message/delivery-status', 'text/rfc822-headers'],
  );
  assert.deepEqual([dsn.body, dsn.smtputf8], ['7BIT', false]);
  assert.match(body(2), /^From: alice@example\.com\r\nSubject: Hello\r\n$/);
  assert.deepEqual(parseDsn(Buffer.from(body(1))), {
    reportingMta: 'mx.example.com',
    envid: 'QQ314159',
    arrivedAt: report.arrivedAt,
    recipients: [
      {
        action: 'failed',
        finalRecipient: 'bob@example.org',
        originalRecipient: { type: 'rfc822', address: 'Bob@example.org' },
        status: '5.1.1',
        remoteMta: 'mail.example.org',
        diagnostic: { type: 'smtp', text: '550 5.1.1 <bob@example.org>: no such user' },
      },
    ],
  });
});

test('the header says that nobody wrote it and to which message it belongs', () => {
  const header = write(composeDsn(report)).toString().split('\r\n\r\n')[0]!;
  assert.match(header, /^To: <alice@example\.com>$/m);
  assert.match(header, /^Auto-Submitted: auto-replied\r$/m);
  assert.match(header, /^References: <1@example\.com>\r$/m);
  assert.match(header, /^Date: Sun, 22 Nov 2026 05:00:00 \+0000\r$/m);
});

test('the text names the recipient, says why in plain words and quotes the other side', () => {
  const text = partsOf(write(composeDsn(report))).body(0);
  assert.match(text, /^bob@example\.org\r\n {4}NOT DELIVERED\. There is no mailbox with this address\./m);
  assert.match(text, /mail\.example\.org said:\r\n {8}550 5\.1\.1 <bob@example\.org>: no such user/);
  assert.match(text, /typing mistakes/);
});

test('a delay says until when it is tried, and that nothing needs doing', () => {
  const recipient: DsnRecipient = {
    action: 'delayed',
    finalRecipient: 'bob@example.org',
    status: '4.4.1',
    diagnostic: { saidBy: 'us', text: 'cannot connect' },
    willRetryUntil: Date.UTC(2026, 10, 27),
  };
  const dsn = composeDsn({ ...report, recipients: [recipient] });
  const { body } = partsOf(write(dsn));
  assert.equal(dsn.subject, 'Your message is delayed');
  assert.match(body(0).replaceAll(/\s+/g, ' '), /until Fri, 27 Nov 2026 00:00:00 \+0000\. You need not send it again/);
  assert.match(body(1), /^Will-Retry-Until: Fri, 27 Nov 2026 00:00:00 \+0000\r$/m);
  assert.match(body(1), /^Diagnostic-Code: X-Postern; cannot connect\r$/m);
});

test('a report of success mentions no failure', () => {
  const delivered: DsnRecipient = { action: 'delivered', finalRecipient: 'a@example.org', status: '2.1.5' };
  const actions = ['delivered', 'relayed', 'expanded'] as const;
  const dsn = composeDsn({ ...report, recipients: actions.map((action) => ({ ...delivered, action })) });
  const { body } = partsOf(write(dsn));
  assert.equal(dsn.subject, 'Your message was delivered');
  assert.doesNotMatch(body(0), /NOT DELIVERED/);
  assert.deepEqual(
    parseDsn(Buffer.from(body(1)))?.recipients.map(({ action }) => action),
    actions,
  );
});

test('several fates in one report are told one by one', () => {
  const delayed: DsnRecipient = { ...failed, action: 'delayed', finalRecipient: 'carol@example.net', status: '4.2.2' };
  const dsn = composeDsn({ ...report, recipients: [failed, delayed] });
  const { body } = partsOf(write(dsn));
  assert.equal(dsn.subject, 'Your message was not delivered to everybody');
  assert.equal(parseDsn(Buffer.from(body(1)))?.recipients.length, 2);
});

test('the whole original goes back as it came, by reference', () => {
  const dsn = composeDsn({
    ...report,
    returned: {
      kind: 'full',
      sizeBytes: original.length,
      body: '8BITMIME',
      smtputf8: false,
      header: original.subarray(0, 42),
    },
  });
  assert.deepEqual(
    dsn.segments.filter((segment) => segment.kind === 'original'),
    [{ kind: 'original', start: 0, end: original.length }],
  );
  const message = write(dsn);
  const last = partsOf(message).parts[2]!;
  assert.equal(last.type.value, 'message/rfc822');
  assert.equal(last.encoding, '8bit');
  assert.equal(dsn.body, '8BITMIME');
  assert.deepEqual(message.subarray(last.body.start, last.body.end), original);
});

test('an original whose header is UTF-8 goes back as message/global, whether its sender said SMTPUTF8 or not', () => {
  const back = (header: Buffer): string => {
    const returned = { kind: 'full', sizeBytes: original.length, body: '8BITMIME', smtputf8: false, header } as const;
    return partsOf(write(composeDsn({ ...report, returned }))).parts[2]!.type.value;
  };
  assert.equal(back(Buffer.from('Subject: Grüße\r\n')), 'message/global');
  assert.equal(back(Buffer.from('Subject: Gr\xfc\xdfe\r\n', 'latin1')), 'message/rfc822');
});

test('an internationalised address makes the report one of RFC 6533', () => {
  const recipient: DsnRecipient = {
    ...failed,
    finalRecipient: 'jürgen@example.org',
    orcpt: { type: 'utf-8', address: 'jürgen@example.org' },
  };
  const dsn = composeDsn({ ...report, to: 'ålice@example.com', recipients: [recipient] });
  const { parts, body } = partsOf(write(dsn));
  assert.deepEqual([dsn.body, dsn.smtputf8], ['8BITMIME', true]);
  assert.equal(parts[1]?.type.value, 'message/global-delivery-status');
  assert.match(body(1), /^Final-Recipient: utf-8; jürgen@example\.org\r$/m);
  assert.match(body(0), /^jürgen@example\.org\r$/m);
});

test('a UTF-8 header goes back as message/global-headers, other 8-bit as it is', () => {
  const back = (header: Buffer): string =>
    partsOf(write(composeDsn({ ...report, returned: { kind: 'headers', header } }))).parts[2]!.type.value;
  assert.equal(back(Buffer.from('Subject: Grüße\r\n')), 'message/global-headers');
  assert.equal(back(Buffer.from('Subject: Gr\xfc\xdfe\r\n', 'latin1')), 'text/rfc822-headers');
});

test('a remote host writes fields of its own into our report', () => {
  const diagnostic = {
    saidBy: 'remote',
    text: '550 no\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; x@y\u2028\x1b[2J',
  } as const;
  const subject = 'x\r\nBcc: everybody@example.com';
  const message = write(
    composeDsn({ ...report, subject, recipients: [{ ...failed, remoteMta: 'a\r\nb: c', diagnostic }] }),
  );
  const { body } = partsOf(message);
  assert.equal(parseDsn(Buffer.from(body(1)))?.recipients.length, 1);
  assert.equal(parseDsn(Buffer.from(body(1)))?.recipients[0]?.action, 'failed');
  assert.doesNotMatch(message.toString(), /^(Bcc|b):/m);
  assert.doesNotMatch(message.toString(), /\x1b/);
});

test('whatever others wrote, a report is well formed, in short lines, and can be read back', () => {
  const words = fc.string({ unit: 'grapheme', maxLength: 3000 });
  const recipient = fc.record(
    {
      action: fc.constantFrom('failed', 'delayed', 'delivered', 'relayed', 'expanded'),
      finalRecipient: fc.emailAddress(),
      status: fc.stringMatching(/^[245]\.\d{1,2}\.\d{1,2}$/),
      diagnostic: fc.record({ saidBy: fc.constantFrom('remote', 'us'), text: words }, { noNullPrototype: true }),
    },
    { noNullPrototype: true },
  ) as fc.Arbitrary<DsnRecipient>;
  fc.assert(
    fc.property(fc.array(recipient, { minLength: 1, maxLength: 5 }), words, words, (recipients, subject, envid) => {
      const message = write(composeDsn({ ...report, recipients, subject, envid }));
      for (const line of message.toString('latin1').split('\r\n'))
        assert.ok(line.length <= 998 && !/[\r\n]/.test(line));
      const read = parseDsn(Buffer.from(partsOf(message).body(1)));
      assert.deepEqual(
        read?.recipients.map(({ action, status, finalRecipient }) => [action, status, finalRecipient]),
        recipients.map(({ action, status, finalRecipient }) => [action, status, finalRecipient]),
      );
    }),
    { numRuns: 100 },
  );
});
