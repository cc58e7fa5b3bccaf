/** The client's half of the SMTP grammar: replies in, commands and data out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '../../../src/protocol/smtp/address.ts';
import { createDotStuffer } from '../../../src/protocol/smtp/dot-stuffing.ts';
import { parseEhloReply } from '../../../src/protocol/smtp/ehlo-reply.ts';
import { formatMail, formatRcpt } from '../../../src/protocol/smtp/format-command.ts';
import { createReplyParser, formatReply, type ReplyParser } from '../../../src/protocol/smtp/reply.ts';
import type { Address, Reply } from '../../../src/protocol/smtp/types.ts';
import { decodeUtf8Address, decodeXtext, encodeUtf8Address, encodeXtext } from '../../../src/protocol/smtp/xtext.ts';

function address(text: string): Address {
  const result = parseAddress(text);
  assert.ok(result.ok);
  return result.value;
}

function splits(bytes: Buffer, at: number): [Buffer, Buffer] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

function heard(parser: ReplyParser, wire: Buffer): { replies: Reply[]; problem: string | undefined } {
  const replies: Reply[] = [];
  const chunk = Buffer.from(wire);
  const problem = parser.push(chunk, chunk.length, (reply) => replies.push(reply));
  // What was read into is read into again.
  chunk.fill('#');
  return { replies, problem };
}

test('replies are read alike at every split of their bytes', () => {
  const wire = Buffer.from(
    '220 mx.example ESMTP\r\n250-mx.example\r\n250-SIZE 1000\r\n250 DSN\r\n550-5.1.1 no\r\n550 5.1.1 such\r\n421\r\n',
  );
  const expected: Reply[] = [
    { code: 220, text: 'mx.example ESMTP' },
    { code: 250, text: ['mx.example', 'SIZE 1000', 'DSN'] },
    { code: 550, enhanced: '5.1.1', text: ['no', 'such'] },
    { code: 421, text: '' },
  ];
  for (let at = 0; at <= wire.length; at++) {
    const parser = createReplyParser();
    const replies = splits(wire, at).flatMap((chunk) => heard(parser, chunk).replies);
    assert.deepEqual(replies, expected, `split at ${at}`);
  }
});

test('what a formatter writes the reader reads back', () => {
  const line = fc.stringMatching(/^[a-z][ a-zA-Z,:.]{0,60}$/);
  const reply = fc.record({
    code: fc.constantFrom(250, 354, 451, 550),
    text: fc.oneof(line, fc.array(line, { minLength: 2, maxLength: 5 })),
  });
  fc.assert(
    fc.property(reply, fc.boolean(), ({ code, text }, withStatus) => {
      const value =
        withStatus && code !== 354 ? { code, enhanced: `${Math.floor(code / 100)}.7.1`, text } : { code, text };
      assert.deepEqual(heard(createReplyParser(), Buffer.from(formatReply(value))).replies, [value]);
    }),
    { numRuns: 200 },
  );
});

test('a peer that does not speak SMTP is given up at its first line', () => {
  for (const junk of [
    'HTTP/1.1 400 Bad Request\r\n',
    '25 \r\n',
    '250-a\r\n251 b\r\n',
    `250 ${'x'.repeat(5000)}\r\n`,
    '199 a\r\n',
  ]) {
    const parser = createReplyParser();
    assert.notEqual(heard(parser, Buffer.from(junk)).problem, undefined, junk.slice(0, 20));
    assert.deepEqual(heard(parser, Buffer.from('250 ok\r\n')).replies, []);
  }
});

test('a peer that never ends its reply is given up within a bound', () => {
  const parser = createReplyParser();
  let given = 0;
  while (heard(parser, Buffer.from('250-more\r\n')).problem === undefined) given++;
  assert.ok(given <= 128);
  assert.notEqual(heard(createReplyParser(), Buffer.alloc(5000, 'x')).problem, undefined);
});

test('controls in a reply do not reach the log', () => {
  const { replies } = heard(createReplyParser(), Buffer.from('550 a\x1b[2Jb\x00c\xff\r\n', 'latin1'));
  assert.deepEqual(replies, [{ code: 550, text: 'a?[2Jb?c?' }]);
});

test('an EHLO reply says what the peer can do, in any case and order', () => {
  const peer = parseEhloReply({
    code: 250,
    text: [
      'mx.example greets you',
      'pipelining',
      'SIZE 5000',
      'AUTH=LOGIN',
      'AUTH PLAIN',
      'LIMITS RCPTMAX=20 x RCPTDOMAINMAX=0',
      '-bad-',
    ],
  });
  assert.equal(peer.name, 'mx.example');
  assert.ok(peer.pipelining && !peer.dsn);
  assert.deepEqual(peer.size, { limitBytes: 5000 });
  assert.deepEqual(peer.auth, ['LOGIN', 'PLAIN']);
  assert.deepEqual(peer.limits, { rcptMax: 20 });
  assert.deepEqual(parseEhloReply({ code: 250, text: ['a', 'SIZE 0'] }).size, {});
  assert.equal(parseEhloReply({ code: 250, text: 'a' }).size, undefined);
});

test('MAIL and RCPT carry every parameter in its encoding', () => {
  assert.equal(formatMail(null), 'MAIL FROM:<>');
  assert.equal(
    formatMail(address('a@example.com'), {
      sizeBytes: 5,
      body: 'BINARYMIME',
      smtputf8: true,
      ret: 'headers',
      envid: 'a+b c',
    }),
    'MAIL FROM:<a@example.com> SIZE=5 BODY=BINARYMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb+20c',
  );
  assert.equal(
    formatRcpt({
      address: address('"a b"@example.com'),
      notify: ['success', 'delay'],
      orcpt: { type: 'rfc822', address: 'x=y@example.com' },
    }),
    'RCPT TO:<"a b"@example.com> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+3Dy@example.com',
  );
  const original = { type: 'rfc822', address: 'jürgen@example.com' };
  const recipient = { address: address('a@example.com'), notify: 'never' as const, orcpt: original };
  assert.equal(formatRcpt(recipient), 'RCPT TO:<a@example.com> NOTIFY=NEVER ORCPT=utf-8;j\\x{FC}rgen@example.com');
  assert.equal(formatRcpt(recipient, true), 'RCPT TO:<a@example.com> NOTIFY=NEVER ORCPT=utf-8;jürgen@example.com');
});

test('what xtext and its UTF-8 forms encode they decode', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~]{0,40}$/), (text) => {
      assert.match(encodeXtext(text), /^[!-~]*$/);
      assert.equal(decodeXtext(encodeXtext(text)), text);
    }),
    { numRuns: 300 },
  );
  const printable = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(printable, fc.constantFrom('xtext' as const, 'unitext' as const), (text, form) => {
      assert.equal(decodeUtf8Address(encodeUtf8Address(text, form)), text);
    }),
    { numRuns: 300 },
  );
});

test('an encoded line end, a bad hex pair and a lone surrogate are refused', () => {
  for (const text of ['a+0D+0Ab', 'a+0db', 'a+4', 'a=b', 'a b', 'a+FFb'])
    assert.equal(decodeXtext(text), undefined, text);
  for (const text of ['\\x{D800}', '\\x{0A}', '\\x{110000}', 'a+b', 'a\\b', ''])
    assert.equal(decodeUtf8Address(text), undefined, text);
});

function stuff(chunks: readonly Buffer[]): string {
  const stuffer = createDotStuffer();
  const out: Buffer[] = [];
  for (const chunk of chunks) stuffer.push(chunk, out);
  return Buffer.concat([...out, stuffer.end()]).toString('latin1');
}

test('dots are stuffed alike at every split', () => {
  const content = Buffer.from('.first\r\n..\r\n.\r\n\r\n.\nx\r.y\r\r\n.z');
  const expected = '..first\r\n...\r\n..\r\n\r\n..\nx\r.y\r\r\n..z\r\n.\r\n';
  for (let a = 0; a <= content.length; a++) {
    for (let b = a; b <= content.length; b++) {
      const chunks = [content.subarray(0, a), content.subarray(a, b), content.subarray(b)];
      assert.equal(stuff(chunks), expected, `split at ${a} and ${b}`);
    }
  }
});

test('the end of data adds a line end only where the content has none', () => {
  assert.equal(stuff([]), '.\r\n');
  assert.equal(stuff([Buffer.from('a\r\n')]), 'a\r\n.\r\n');
  assert.equal(stuff([Buffer.from('a\n')]), 'a\n\r\n.\r\n');
  assert.equal(stuff([Buffer.from('a\r'), Buffer.from('\n')]), 'a\r\n.\r\n');
});
