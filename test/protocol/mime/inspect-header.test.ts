import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createHeaderEnd } from '../../../src/protocol/mime/header-end.ts';
import { inspectHeader } from '../../../src/protocol/mime/inspect-header.ts';
import { MIME_LIMITS } from '../../../src/protocol/mime/limits.ts';
import { fieldValue } from '../../../src/protocol/mime/text.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

test('one pass tells hops, sender, subject, id and where the body starts', () => {
  const header =
    'Received: from a\r\n\tby b\r\nRECEIVED: from c\r\nFrom: "Smith, Alice" <alice@Example.COM>\r\n' +
    'Subject: =?utf-8?Q?Gr=C3=BC=C3?=\r\n =?utf-8?Q?=9Fe?= from\r\n here\r\nMessage-ID:  <1@example.com> \r\n\r\n';
  const facts = inspectHeader(bytes(`${header}body`));
  assert.equal(facts.endOffset, header.length);
  assert.equal(facts.problem, undefined);
  assert.equal(facts.receivedCount, 2);
  assert.equal(facts.fieldCount, 5);
  assert.equal(facts.author.shown, 'alice@example.com');
  assert.equal(facts.author.mailboxes[0]?.displayName, 'Smith, Alice');
  assert.equal(facts.subject, 'Grüße from here');
  assert.equal(facts.messageId, '<1@example.com>');
  assert.equal(facts.has8bit, false);
});

test('two From fields are told as two', () => {
  const facts = inspectHeader(bytes('From: a@example.com\r\nfrom : b@example.com\r\n\r\n'));
  assert.equal(facts.author.fields, 2);
  assert.match(facts.author.shown!, /^a@example.com/);
});

test('a From in a folded line or in the body is no From field', () => {
  const facts = inspectHeader(bytes('To: x@example.com,\r\n From: a@example.com\r\n\r\nFrom: b@example.com\r\n'));
  assert.equal(facts.author.fields, 0);
});

test('a message that is a header alone has its end at the end', () => {
  assert.equal(inspectHeader(bytes('From: a@example.com\r\n')).problem, undefined);
  assert.equal(inspectHeader(bytes('From: a@example.com\r\n')).endOffset, 21);
  assert.equal(inspectHeader(bytes('')).endOffset, 0);
});

test('a header that does not end in what was read of the message is a problem', () => {
  assert.equal(inspectHeader(bytes('From: a@example.com\r\nSubj'), false).problem, 'no-end');
});

test('an attacker hides a second header behind an endless first one', () => {
  const endless = Buffer.alloc(MIME_LIMITS.headerBytes + 10, 'X: y\r\n');
  assert.equal(inspectHeader(endless).problem, 'too-many-fields');
  const wide = bytes(`${`X: ${'y'.repeat(60_000)}\r\n`.repeat(5)}\r\n`);
  assert.equal(inspectHeader(wide).problem, 'header-too-long');
});

test('a line of 64 kB passes, a longer one is a problem', () => {
  const line = (length: number): Buffer => bytes(`X: ${'y'.repeat(length - 3)}\r\n\r\n`);
  assert.equal(inspectHeader(line(MIME_LIMITS.headerLineBytes)).problem, undefined);
  assert.equal(inspectHeader(line(MIME_LIMITS.headerLineBytes + 1)).problem, 'line-too-long');
});

test('8-bit headers pass and are told; valid UTF-8 is read as such, anything else as Latin-1', () => {
  const utf8 = inspectHeader(bytes('Subject: Grüße\r\n\r\n'));
  assert.equal(utf8.has8bit, true);
  assert.equal(utf8.subject, 'Grüße');
  assert.equal(inspectHeader(Buffer.from('Subject: Gr\xfc\xdfe\r\n\r\n', 'latin1')).subject, 'Grüße');
  // The last octet of this letter is white space in Latin-1.
  assert.equal(inspectHeader(bytes('Subject: Voilà \r\n\r\n')).subject, 'Voilà');
});

test('8-bit octets in the body do not make an 8-bit header', () => {
  assert.equal(inspectHeader(bytes('Subject: x\r\n\r\nGrüße')).has8bit, false);
});

test('a line that is no field is counted, and reading goes on', () => {
  const facts = inspectHeader(bytes('Subject: x\r\nthis is no field\r\nFrom: a@example.com\r\n\r\n'));
  assert.equal(facts.malformedLines, 1);
  assert.equal(facts.author.fields, 1);
});

test('a NUL, a bare CR and a bare LF make a header binary', () => {
  for (const value of ['a\0b', 'a\rb', 'a\nb: c'])
    assert.equal(inspectHeader(bytes(`Subject: ${value}\r\n\r\n`)).isBinary, true, JSON.stringify(value));
  assert.equal(inspectHeader(bytes('Subject: x\r\n\r\n')).isBinary, false);
});

test('a subject can neither break nor turn the line of a log that shows it', () => {
  const subject = 'Subject: =?utf-8?B?SGkKMjAyNiBlcnJvciBbMzFt4oCuZXhl?=\r\n\r\n';
  assert.equal(inspectHeader(bytes(subject)).subject, 'Hi 2026 error [31m exe');
});

test('encoded words that cannot be read stay as they are written', () => {
  const subject = (value: string): string | undefined => inspectHeader(bytes(`Subject: ${value}\r\n\r\n`)).subject;
  assert.equal(subject('=?x-nobody?Q?a?= b'), '=?x-nobody?Q?a?= b');
  assert.equal(subject('=?utf-8?X?a?='), '=?utf-8?X?a?=');
  assert.equal(subject('=?utf-8?Q?open'), '=?utf-8?Q?open');
  assert.equal(subject('a =?iso-8859-1?Q?=A1?= =?utf-8*en?Q?b?= c'), 'a ¡b c');
});

test('the end of the header is found at every split of its chunks', () => {
  const headers = [
    'A: b\r\nC: d\r\n\r\nbody\r\n\r\n',
    '\r\nbody',
    'A: b\n\nbody',
    'A:\r\n \r\n\r\n',
    'A: b\r\n\r\n',
    'A\r\r\n\r\n\r\n',
  ];
  for (const text of headers) {
    const whole = bytes(text);
    const expected = inspectHeader(whole).endOffset;
    for (let first = 0; first <= whole.length; first++) {
      for (let second = first; second <= whole.length; second++) {
        const finder = createHeaderEnd();
        const chunks = [whole.subarray(0, first), whole.subarray(first, second), whole.subarray(second)];
        const found = chunks.map((chunk) => finder.push(chunk)).find((answer) => answer !== undefined);
        assert.equal(found, expected, `${JSON.stringify(text)} split at ${first} and ${second}`);
      }
    }
  }
});

test('the incremental search gives up where the one-pass reader does', () => {
  const finder = createHeaderEnd();
  let answer: unknown;
  for (let i = 0; i < 70 && answer === undefined; i++) answer = finder.push(Buffer.alloc(1024, 'x'));
  assert.equal(answer, 'line-too-long');
});

test('no octets make the readers of headers throw or disagree about the end', () => {
  const pieces = fc.constantFrom(
    'From: ',
    '\r\n',
    '\n',
    '\r',
    ' ',
    'a@b',
    '<',
    '"',
    '(',
    '=?utf-8?Q?=',
    '?=',
    '\0',
    'é',
    ':',
    ',',
    ';',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string())), (parts) => {
      const whole = bytes(parts.join(''));
      const facts = inspectHeader(whole);
      const found = createHeaderEnd().push(whole);
      if (typeof found === 'number') assert.equal(facts.endOffset, found);
      else assert.equal(facts.endOffset, whole.length);
    }),
    { numRuns: 2000 },
  );
});

test('fields that tell of origin are counted, and their values left where they stand', () => {
  const header = bytes(
    'DKIM-Signature: a\r\nARC-Seal: b\r\nAuthentication-Results: one; spf=pass\r\nReceived-SPF: pass\r\nTo: a@b\r\n' +
      'authentication-results:\r\n two; dkim=pass\r\nList-Id: x <l.example>\r\nList-Id: y\r\nDate: today\r\nDate: now\r\n\r\n',
  );
  const { origin } = inspectHeader(header);
  const values = (fields: typeof origin.receivedSpf): string[] => fields.map((field) => fieldValue(header, field));
  assert.deepEqual([origin.signatures, origin.arc], [1, 1]);
  assert.deepEqual(origin.counts, { from: 0, to: 1, subject: 0, date: 2 });
  assert.deepEqual(values(origin.authenticationResults), ['one; spf=pass', 'two; dkim=pass']);
  assert.deepEqual(values(origin.receivedSpf), ['pass']);
  assert.deepEqual(origin.listId && values([origin.listId]), ['x <l.example>']);
  assert.equal(origin.bimiSelector, undefined);
});

test('words of ISO-2022-JP are decoded one by one, as each begins in ASCII', () => {
  const word = (octets: string): string => `=?ISO-2022-JP?B?${Buffer.from(octets, 'latin1').toString('base64')}?=`;
  const letters = [...'Jane Doe'].map((letter) => word(`\x1b(J${letter}\x1b(B`)).join('\r\n ');
  const { subject } = inspectHeader(Buffer.from(`Subject: ${letters}\r\n\r\n`, 'latin1'));
  assert.equal(subject, 'Jane Doe');
});

test('an attacker disguises a second From field by a mark or a control in its name, which readers trim away', () => {
  for (const name of ['\xef\xbb\xbfFrom', 'From\xa0', '\x0cFrom', 'From\x7f', 'Fr\x01om', 'FROM\xc2\xa0 ']) {
    const header = `${name}: boss@bank.test\r\nFrom: any@attack.example\r\nSubject: x\r\n\r\n`;
    const { author } = inspectHeader(Buffer.from(header, 'latin1'));
    assert.deepEqual(
      [author.fields, author.domains, author.unclear],
      [2, ['attack.example', 'bank.test'], 'several-fields'],
    );
  }
  for (const line of ['From boss@bank.test Mon Jan  1 00:00:00 2026', '>From: boss@bank.test', 'Fr\xc3\xb6m'])
    assert.equal(
      inspectHeader(Buffer.from(`${line}\r\nFrom: any@attack.example\r\n\r\n`, 'latin1')).author.fields,
      1,
      line,
    );
  assert.equal(inspectHeader(Buffer.from('\xef\xbb\xbfFrom: any@attack.example\r\n\r\n', 'latin1')).author.fields, 0);
});
