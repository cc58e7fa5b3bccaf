/** Every writer of somebody else's string, against strings made to end lines, steer terminals and turn text round. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EVENTS } from '../../src/catalogue.ts';
import { createContext } from '../../src/cli/context.ts';
import { table, visible } from '../../src/cli/table.ts';
import { linesAbove, withEdits } from '../../src/deliver/edits.ts';
import { composeFailure } from '../../src/protocol/arf/compose.ts';
import { formatAuthResults, formatReceivedSpf } from '../../src/protocol/auth-results/auth-results.ts';
import { formatCsv } from '../../src/protocol/csv/csv.ts';
import { writeAggregate } from '../../src/protocol/dmarc-report/write-aggregate.ts';
import { composeDsn } from '../../src/protocol/dsn/compose.ts';
import { field, oneLine } from '../../src/protocol/dsn/field-text.ts';
import { decodeUnstructured } from '../../src/protocol/mime/encoded-words.ts';
import { writeMailbox } from '../../src/protocol/mime/write-mailbox.ts';
import { createReplyParser, formatReply } from '../../src/protocol/smtp/reply.ts';
import { cleanLine, cleanLines, escapeJson, fieldText, wholeField, wireLine } from '../../src/protocol/text/unsafe.ts';
import { receivedLine } from '../../src/receive/trace.ts';
import { eventLine } from '../../src/world/log-sink.ts';

const RUNS = { numRuns: 200 };
/** Written out once more, so that the list under test has no say in it. */
const HOSTILE = [
  ...Array.from({ length: 0x20 }, (_, code) => code),
  ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i),
  ...[0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2060],
  ...[0x2066, 0x2067, 0x2068, 0x2069, 0xfeff, 0xe0001, 0xe0041, 0xe007f],
].map((code) => String.fromCodePoint(code));
const RAW =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/u;
const RAW_BUT_LINES =
  /(?!\n)[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/u;

const INJECTIONS = [
  '\r\nBcc: x@evil.example',
  '\r\n\r\nbody',
  '\nX: y',
  '\rX: y',
  '"; x="',
  '\u001b[2J',
  '=?utf-8?Q?=0D=0ABcc:_x?=',
];
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(...HOSTILE),
      fc.constantFrom(...INJECTIONS),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));

/** Fields of a header that is whole: lines by CRLF alone, each a field or a continuation. */
function fieldsOf(header: string): readonly string[] {
  assert.ok(header.endsWith('\r\n'), 'ends with CRLF');
  const lines = header.slice(0, -2).split('\r\n');
  for (const line of lines) assert.ok(!RAW.test(line.replaceAll('\t', '')), JSON.stringify(line));
  const fields = lines.filter((line) => !/^[ \t]/.test(line));
  for (const line of fields) assert.match(line, /^[!-9;-~]+:/, JSON.stringify(line));
  return fields;
}

/** Every writer that makes one field of what it is given. */
const ONE_FIELD: Readonly<Record<string, (text: string) => string>> = {
  'Authentication-Results': (text) =>
    formatAuthResults(text, [
      { method: 'spf', result: 'fail', comment: text, reason: text, properties: [['smtp.mailfrom', text]] },
    ]),
  'Authentication-Results of an international message': (text) =>
    formatAuthResults(
      'mx',
      [{ method: 'dkim', result: 'pass', comment: text, properties: [['header.d', text]] }],
      true,
    ),
  'Received-SPF': (text) => formatReceivedSpf({ result: 'pass', comment: text, pairs: [['helo', text]] }),
  'a field of a report': (text) => field('X', text),
  'a mailbox': (text) => `From: ${writeMailbox(text, 'a@b.example')}\r\n`,
  'the address of a mailbox': (text) => `From: ${writeMailbox('x', text)}\r\n`,
  Received: (text) =>
    receivedLine({
      session: {
        id: 's',
        client: { address: '192.0.2.1', port: 1 },
        local: { address: '192.0.2.2', port: 25 },
        helo: text,
        extended: true,
      } as never,
      hostname: 'mx.example.com',
      id: 'm',
      smtputf8: false,
      at: 0,
    }),
};

for (const [name, write] of Object.entries(ONE_FIELD))
  test(`a stranger's string makes no second field and steers nobody: ${name}`, () => {
    fc.assert(
      fc.property(hostile, (text) => assert.equal(fieldsOf(write(text)).length, 1)),
      RUNS,
    );
  });

test('HELO with letters of its own is written with ?, unless the message is international', () => {
  const spf = { result: 'none', comment: 'ok', pairs: [['helo', 'müller.example']] } as const;
  assert.match(formatReceivedSpf(spf), /helo="m\?ller\.example"/);
  assert.match(formatReceivedSpf(spf, true), /helo="müller\.example"/);
});

test('an edit of the header is one field, whatever a check put into it', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const raw = `X-Note: ${text}\r\n`;
      const above = linesAbove('', [{ kind: 'prepend', raw }]);
      const [edited] = withEdits([{ kind: 'original', start: 0, end: 14 }], Buffer.from('Subject: a\r\n\r\n'), [
        { kind: 'replace', name: 'subject', occurrence: 0, raw },
      ]);
      const replaced =
        edited?.kind === 'bytes' ? Buffer.from(edited.bytes).toString() : assert.fail('nothing was replaced');
      for (const header of [above, replaced, wholeField(raw)])
        assert.equal(header.match(/(?<!\r)\n|\r(?!\n)|\0/g), null);
      for (const header of [replaced, wholeField(raw)]) assert.equal(header.slice(0, -2).match(/\r\n(?![ \t])/g), null);
    }),
    RUNS,
  );
  assert.equal(wholeField('X: a\r\n\tb\r\n'), 'X: a\r\n\tb\r\n');
});

test('a reply, and a command, is as many lines as were meant', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      assert.ok(!RAW.test(formatReply({ code: 550, enhanced: '5.7.1', text }).slice(0, -2)));
      assert.equal(formatReply({ code: 550, text: [text, text] }).split('\r\n').length, 3);
      const line = wireLine(`EHLO ${text}`);
      assert.ok(line.endsWith('\r\n') && !/[\r\n\0]/.test(line.slice(0, -2)));
    }),
    RUNS,
  );
});

test("a remote host's reply steers no terminal, whatever its octets", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const octets = Buffer.from(`550 5.1.1 ${text.replaceAll(/[\r\n]/g, '')}\r\n`);
      createReplyParser().push(octets, octets.length, (reply) =>
        assert.ok(!RAW.test(String(reply.text).replaceAll('\t', ''))),
      );
    }),
    RUNS,
  );
});

test('reports to senders and to domains have no field and no line of a stranger', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const dsn = composeDsn({
        reportingMta: 'mx.example.com',
        from: 'postmaster@example.com',
        to: 'a@b.example',
        arrivedAt: 0,
        envid: text,
        subject: text,
        originalMessageId: text,
        recipients: [
          {
            action: 'failed',
            finalRecipient: text,
            addressedTo: text,
            orcpt: { type: text, address: text },
            status: '5.1.1',
            remoteMta: text,
            diagnostic: { saidBy: 'remote', text },
          },
        ],
        returned: { kind: 'none' },
        date: 0,
        messageId: '<x@mx.example.com>',
        boundary: 'b',
      });
      const written = Buffer.concat(
        dsn.segments.map((segment) => (segment.kind === 'bytes' ? segment.bytes : new Uint8Array())),
      ).toString();
      assert.ok(!RAW.test(written.replaceAll('\r\n', '')), JSON.stringify(written));
      const arf = Buffer.from(
        composeFailure({
          from: text,
          to: text,
          messageId: '<x@y>',
          boundary: 'b',
          date: 0,
          userAgent: text,
          reportingHost: text,
          arrivedAt: 0,
          sourceIp: text,
          reportedDomain: text,
          mailFrom: text,
          deliveryResult: 'policy',
          alignment: 'none',
          authenticationResults: text,
          header: [['Subject', text]],
        }),
      ).toString('latin1');
      assert.match(arf.replaceAll('\r\n', ''), /^[\x20-\x7e]*$/);
      // The parts for people are bodies, in which any line may stand.
      const forPrograms = [written, arf].flatMap((report) => report.split('--b').filter((_, part) => part !== 1));
      for (const part of forPrograms) assert.equal(/\r\n(?:Bcc|X): /.test(part), false, part);
    }),
    RUNS,
  );
});

test('an aggregate report says nothing that would steer its reader', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const xml = [
        ...writeAggregate({
          metadata: { organisation: text, email: text, reportId: text, begin: 0, end: 1 },
          policy: { domain: text, p: 'none' },
          records: [],
        } as never),
      ].join('');
      assert.ok(!RAW_BUT_LINES.test(xml));
    }),
    RUNS,
  );
});

test('a subject, a log line, a column and a printed line show such a string harmlessly', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      assert.ok(!RAW.test(decodeUnstructured(Buffer.from(text).toString('latin1'), 1000)));
      assert.ok(!RAW.test(decodeUnstructured(`=?utf-8?B?${Buffer.from(text).toString('base64')}?=`, 1000)));
      assert.ok(!RAW.test(eventLine(EVENTS, 'settings.changed', { keys: [text], by: text })));
      assert.equal(table(['A'], [[text], [[text, text]]]).split('\n').length, 3);
      assert.ok(!RAW_BUT_LINES.test(table(['A'], [[text]])));
      assert.ok(!RAW_BUT_LINES.test(visible(text)));
      for (const line of [cleanLine(text), fieldText(text), fieldText(text, true), oneLine(text)])
        assert.ok(!RAW.test(line));
      assert.ok(!RAW_BUT_LINES.test(cleanLines(text)));
    }),
    RUNS,
  );
});

test('JSON for programs has no such character raw, and reads back as the same value', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const value = { text, list: [text], [text]: 1 };
      for (const json of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
        const escaped = escapeJson(json);
        assert.ok(!RAW_BUT_LINES.test(escaped));
        assert.deepEqual(JSON.parse(escaped), value);
      }
    }),
    RUNS,
  );
});

test('a command prints JSON and text so', () => {
  let written = '';
  const output = { write: (text: string) => (written += text) };
  const { json, print } = createContext({} as never, output, process.stdin);
  json({ all: HOSTILE.join('') });
  assert.deepEqual(JSON.parse(written), { all: HOSTILE.join('') });
  print(HOSTILE.join(''));
  assert.ok(!RAW_BUT_LINES.test(written));
});

test('plain text, other scripts and emoji are left as they are', () => {
  for (const text of ['Grüße aus Köln', 'שלום', 'नमस्ते', '👨‍👩‍👧 family', 'ok'])
    for (const clean of [cleanLine, cleanLines, escapeJson, (each: string) => fieldText(each, true)])
      assert.equal(clean(text), text);
});

test('a cell that a spreadsheet would run is written harmlessly, whatever it begins with', () => {
  for (const start of ['=', '+', '-', '@', '\t', '\r'])
    assert.match(formatCsv([[`${start}cmd()`]]), /^"?'/, JSON.stringify(start));
});
