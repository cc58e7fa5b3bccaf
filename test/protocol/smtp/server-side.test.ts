/** The server's half of the SMTP grammar: commands, parameters, addresses, data. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { looksLikeRelay, makeAddress, parseAddress, parsePath } from '../../../src/protocol/smtp/address.ts';
import { readCommand } from '../../../src/protocol/smtp/command.ts';
import { createDataDecoder } from '../../../src/protocol/smtp/data-decoder.ts';
import { literalAddress, parseAddressLiteral, parseDomain } from '../../../src/protocol/smtp/domain.ts';
import { createDotStuffer } from '../../../src/protocol/smtp/dot-stuffing.ts';
import { formatMail, formatRcpt } from '../../../src/protocol/smtp/format-command.ts';
import { parseBdat, parseMail, parseRcpt } from '../../../src/protocol/smtp/mail-command.ts';
import { createNewlineGuard } from '../../../src/protocol/smtp/newlines.ts';
import type { Parsed, ProblemKind } from '../../../src/protocol/smtp/parsed.ts';
import { parseXclient } from '../../../src/protocol/smtp/xclient.ts';

function value<T>(result: Parsed<T>): T {
  assert.ok(result.ok, result.ok ? '' : result.problem.text);
  return result.value;
}

function kind(result: Parsed<unknown>): ProblemKind | 'none' {
  return result.ok ? 'none' : result.problem.kind;
}

test('a command is taken apart at its first space, whatever its case', () => {
  const read = (line: string) => readCommand(Buffer.from(line));
  assert.deepEqual(read('mail FROM:<> '), { text: 'mail FROM:<> ', verb: 'MAIL', argument: 'FROM:<>' });
  assert.deepEqual(read('QUIT '), { text: 'QUIT ', verb: 'QUIT', argument: '' });
  assert.deepEqual(read(''), { text: '', verb: '', argument: '' });
  assert.deepEqual(read('Ünknown wörd'), { text: 'Ünknown wörd', verb: 'ÜNKNOWN', argument: 'wörd' });
  for (const line of ['NOOP\0', 'MAIL\rRSET', 'a\x7f', 'a\nb']) assert.equal(read(line), undefined);
  assert.equal(readCommand(Buffer.from('NOOP \xfc', 'latin1')), undefined);
});

test('MAIL is read with every parameter', () => {
  const line = 'from: <a@Example.COM> size=10 BODY=binarymime SMTPUTF8 RET=full ENVID=a+2Bb';
  assert.deepEqual(value(parseMail(line)), {
    reversePath: { local: 'a', domain: 'example.com', text: 'a@example.com' },
    parameters: { sizeBytes: 10, body: 'BINARYMIME', smtputf8: true, ret: 'full', envid: 'a+b' },
  });
  assert.equal(value(parseMail('FROM:<>')).reversePath, null);
  assert.deepEqual(parseMail('FROM: a@example.com SIZE=1'), parseMail('FROM:<a@example.com> SIZE=1'));
});

test('MAIL that is malformed says in what way', () => {
  const problems: readonly [string, ProblemKind][] = [
    ['', 'syntax'],
    ['LALA: <>', 'syntax'],
    ['FROM:', 'syntax'],
    ['FROM:"a"@example.com', 'syntax'],
    ['FROM:a@example.com>', 'address'],
    ['FROM: ', 'syntax'],
    ['FROM:<a@example.com', 'syntax'],
    ['FROM:<a@example.com>SIZE=1', 'syntax'],
    ['FROM:<postmaster>', 'address'],
    ['FROM:<a@xn--->', 'idna'],
    ['FROM:<a@b..c>', 'address'],
    [`FROM:<a@${'b'.repeat(64)}.c>`, 'too-long'],
    [`FROM:<${'a'.repeat(256)}@b.c>`, 'too-long'],
    ['FROM:<jürgen@example.com>', 'smtputf8'],
    ['FROM:<a@bücher.example>', 'smtputf8'],
    ['FROM:<> SIZE=x', 'parameter'],
    ['FROM:<> SIZE', 'parameter'],
    ['FROM:<> SIZE=123456789012345678901', 'parameter'],
    ['FROM:<> SIZE=1 SIZE=2', 'parameter'],
    ['FROM:<> BODY=9BIT', 'parameter'],
    ['FROM:<> SMTPUTF8=yes', 'parameter'],
    ['FROM:<> RET=SOME', 'parameter'],
    [`FROM:<> ENVID=${'x'.repeat(101)}`, 'parameter'],
    ['FROM:<> ENVID=a+0D+0Ab', 'parameter'],
    ['FROM:<> NOTIFY=NEVER', 'unknown-parameter'],
    ['FROM:<> AUTH=<>', 'unknown-parameter'],
  ];
  for (const [line, expected] of problems) assert.equal(kind(parseMail(line)), expected, line);
});

test('a SIZE beyond all numbers is a number, and too large', () => {
  assert.equal(value(parseMail('FROM:<> SIZE=99999999999999999999')).parameters.sizeBytes, Number.MAX_SAFE_INTEGER);
  assert.equal(value(parseMail('FROM:<> SIZE=00000000000000000012')).parameters.sizeBytes, 12);
});

test('RCPT is read with its DSN parameters', () => {
  assert.deepEqual(value(parseRcpt('TO:<b@example.com> NOTIFY=DELAY,success ORCPT=RFC822;c+2Bd@old.example', false)), {
    address: { local: 'b', domain: 'example.com', text: 'b@example.com' },
    notify: ['delay', 'success'],
    orcpt: { type: 'rfc822', address: 'c+d@old.example' },
  });
  const orcpt = (text: string, smtputf8: boolean) => parseRcpt(`TO:<b@example.com> ORCPT=utf-8;${text}`, smtputf8);
  assert.equal(value(orcpt('j\\x{FC}rgen@b.example', false)).orcpt?.address, 'jürgen@b.example');
  assert.equal(value(orcpt('jürgen@b.example', true)).orcpt?.address, 'jürgen@b.example');
  assert.equal(kind(orcpt('jürgen@b.example', false)), 'parameter');
  for (const text of [
    'NOTIFY=NEVER,DELAY',
    'NOTIFY=',
    'NOTIFY=DELAY,DELAY',
    'NOTIFY=ALWAYS',
    'ORCPT=x',
    'ORCPT=;a',
    'ORCPT=rfc822;',
  ])
    assert.equal(kind(parseRcpt(`TO:<b@example.com> ${text}`, false)), 'parameter', text);
  assert.equal(kind(parseRcpt('TO:<b@example.com> SIZE=1', false)), 'unknown-parameter');
});

test('postmaster needs no domain, others do; nobody is the null path', () => {
  assert.deepEqual(value(parseRcpt('TO:<PostMaster>', false)).address, {
    local: 'PostMaster',
    domain: '',
    text: 'PostMaster',
  });
  assert.equal(kind(parseRcpt('TO:<pepe>', false)), 'address');
  assert.equal(kind(parseRcpt('TO:<>', false)), 'address');
});

test('BDAT is a size and perhaps LAST', () => {
  assert.deepEqual(value(parseBdat('86 last')), { sizeBytes: 86, last: true });
  assert.deepEqual(value(parseBdat('0')), { sizeBytes: 0, last: false });
  for (const text of ['', 'x', '-1', '1 FIRST', '1 LAST LAST', '1.5', '0x10', 'LAST'])
    assert.equal(kind(parseBdat(text)), 'syntax', text);
});

test('a local part is unquoted for comparing and quoted for the wire only where it must be', () => {
  assert.deepEqual(value(parseAddress('"a b"@Example.com')), {
    local: 'a b',
    domain: 'example.com',
    text: '"a b"@example.com',
  });
  assert.equal(value(parseAddress('"abc"@example.com')).text, 'abc@example.com');
  assert.equal(value(parseAddress('"\\a\\"\\\\"@example.com')).local, 'a"\\');
});

test('whatever local part an address has, its wire form parses to the same', () => {
  const local = fc.string({ unit: fc.constantFrom(...'ab.@"\\ <>é'), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(local, (text) => {
      const address = makeAddress(text, 'example.com');
      assert.deepEqual(value(parseAddress(address.text)), address);
      assert.deepEqual(value(parseRcpt(formatRcpt({ address }).slice('RCPT '.length), true)).address, address);
      assert.deepEqual(
        value(parseMail(formatMail(address, { smtputf8: true }).slice('MAIL '.length))).reversePath,
        address,
      );
    }),
    { numRuns: 500 },
  );
});

test('no junk makes a parser throw, and what it accepts holds no line end', () => {
  const junk = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'<>@."\\[]: =;,+-aF\r\n\0é%!') }),
  );
  fc.assert(
    fc.property(junk, (text) => {
      const path = parsePath(`<${text}>`, 0, { smtputf8: true, allowNull: true, allowPostmaster: true });
      if (path.ok) assert.doesNotMatch(path.value.path?.text ?? '', /[\r\n\0]/);
      for (const parse of [parseMail, parseBdat, parseXclient, parseAddress, parseDomain, parseAddressLiteral])
        parse(text);
      parseMail(`FROM:<> ${text}`);
      parseRcpt(`TO:<a@b> ${text}`, true);
    }),
    { numRuns: 2000 },
  );
});

test('domains come out as lower-case A-labels', () => {
  assert.equal(value(parseDomain('BÜCHER.example')), 'xn--bcher-kva.example');
  assert.equal(value(parseDomain('XN--BCHER-KVA.Example')), 'xn--bcher-kva.example');
  assert.equal(value(parseDomain('_host.example')), '_host.example');
  assert.equal(value(parseDomain('xn--bcher-kva.a_b.example')), 'xn--bcher-kva.a_b.example');
  for (const bad of [
    '',
    '.',
    'a..b',
    '-a.b',
    'a-.b',
    'a b',
    'a.b.',
    `${'a.'.repeat(130)}b`,
    '１.２.３.４',
    'ａ＠ｂ.example',
  ])
    assert.notEqual(kind(parseDomain(bad)), 'none', bad);
});

test('address literals are IPv4 or tagged IPv6, nothing else', () => {
  assert.equal(literalAddress(value(parseAddressLiteral('[192.0.2.1]'))), '192.0.2.1');
  assert.equal(literalAddress(value(parseAddressLiteral('[ipv6:2001:DB8::1]'))), '2001:db8::1');
  assert.equal(literalAddress('example.com'), undefined);
  for (const bad of ['[192.0.2]', '[2001:db8::1]', '[IPv6:fe80::1%eth0]', '[]', '[x:y]', '192.0.2.1'])
    assert.equal(kind(parseAddressLiteral(bad)), 'address', bad);
});

test('an address that asks for a further hop looks like relaying', () => {
  const path = (text: string) => value(parsePath(text, 0, { smtputf8: false })).path!;
  for (const text of [
    '<a%b.example@example.com>',
    '<b.example!a@example.com>',
    '<"a@b.example"@example.com>',
    '<@example.com:a@b.example>',
    '<@x.example,@y.example:a@example.com>',
  ])
    assert.ok(looksLikeRelay(path(text)), text);
  for (const text of ['<a@example.com>', '<a+b=c@example.com>', '<"a b"@example.com>'])
    assert.ok(!looksLikeRelay(path(text)), text);
  assert.equal(path('<@x.example,@y.example:a@example.com>').route, '@x.example,@y.example');
  for (const text of ['<@x.example>', '<@x.example,:a@b>', '<@:a@b>', '<x:a@b>'])
    assert.equal(kind(parsePath(text, 0, { smtputf8: false })), 'address', text);
});

/** What the decoder makes of these chunks: the content, and what is behind the end. */
function decode(chunks: readonly Buffer[]): { content: string; behind: string | undefined } {
  const decoder = createDataDecoder();
  const content: Buffer[] = [];
  for (const [i, chunk] of chunks.entries()) {
    const end = decoder.push(chunk, 0, (slice) => content.push(slice));
    if (end < 0) continue;
    const behind = Buffer.concat([chunk.subarray(end), ...chunks.slice(i + 1)]).toString('latin1');
    return { content: Buffer.concat(content).toString('latin1'), behind };
  }
  return { content: Buffer.concat(content).toString('latin1'), behind: undefined };
}

function everySplit(text: string, check: (chunks: readonly Buffer[], where: string) => void): void {
  const bytes = Buffer.from(text, 'latin1');
  for (let a = 0; a <= bytes.length; a++)
    for (let b = a; b <= bytes.length; b++)
      check([bytes.subarray(0, a), bytes.subarray(a, b), bytes.subarray(b)], `split at ${a} and ${b}`);
  check(
    [...bytes].map((byte) => Buffer.of(byte)),
    'byte by byte',
  );
}

test('data is decoded alike at every split', () => {
  const cases: readonly [string, string, string | undefined][] = [
    ['.\r\nRSET', '', 'RSET'],
    ['a\r\n.\r\n', 'a\r\n', ''],
    ['..a\r\n...\r\n.b\r\n.\r\nx', '.a\r\n..\r\nb\r\n', 'x'],
    ['a\n.\nb\n.\r\nc\r\n.\nd\r.\re\r\n.\r\n', 'a\n.\nb\n.\r\nc\r\n\nd\r.\re\r\n', ''],
    ['\r\n.\r\r\n.\r\n', '\r\n\r\r\n', ''],
    ['a\r\n.\r.\r\nb', 'a\r\n\r.\r\nb', undefined],
    ['a\r\r\n.\r\nb', 'a\r\r\n', 'b'],
    ['a\r\n.\0\r\n.\r\n', 'a\r\n\0\r\n', ''],
  ];
  for (const [wire, content, behind] of cases)
    everySplit(wire, (chunks, where) => {
      const decoded = decode(chunks);
      // The last CR of a match that goes on is held back.
      if (behind === undefined) assert.ok(content.startsWith(decoded.content), `${JSON.stringify(wire)} ${where}`);
      else assert.deepEqual(decoded, { content, behind }, `${JSON.stringify(wire)} ${where}`);
    });
});

test('whatever is stuffed is unstuffed, however it is cut', () => {
  const text = fc.string({ unit: fc.constantFrom('\r\n', '.', '\r', '\n', 'a', '\r\n.'), maxLength: 60 });
  const chunks = fc.array(text, { maxLength: 6 });
  fc.assert(
    fc.property(chunks, fc.integer({ min: 1, max: 7 }), (parts, size) => {
      const stuffer = createDotStuffer();
      const out: Buffer[] = [];
      for (const part of parts) stuffer.push(Buffer.from(part), out);
      const wire = Buffer.concat([...out, stuffer.end(), Buffer.from('QUIT')]);
      const cut: Buffer[] = [];
      for (let at = 0; at < wire.length; at += size) cut.push(wire.subarray(at, at + size));
      const content = parts.join('');
      const ended = content === '' || content.endsWith('\r\n') ? content : `${content}\r\n`;
      assert.deepEqual(decode(cut), { content: ended, behind: 'QUIT' });
    }),
    { numRuns: 1000 },
  );
});

test('a decoder that has seen an end is ready for the next message', () => {
  const decoder = createDataDecoder();
  const wire = Buffer.from('a\r\n.\r\n.\r\nb\r\n.\r\n');
  const contents: string[] = [];
  for (let from = 0; from < wire.length; ) {
    let content = '';
    from = decoder.push(wire, from, (slice) => {
      content += slice;
    });
    contents.push(content);
  }
  assert.deepEqual(contents, ['a\r\n', '', 'b\r\n']);
});

function guarded(mode: 'refuse' | 'normalise', chunks: readonly Buffer[]): { found: string; content: string } {
  const guard = createNewlineGuard(mode);
  const out: Buffer[] = [];
  const write = (slice: Buffer): void => void out.push(slice);
  for (const chunk of chunks) guard.push(chunk, write);
  const found = guard.finish(write);
  return { found, content: Buffer.concat(out).toString('latin1') };
}

test('bare CR and LF are found, and made CRLF, at every split', () => {
  const cases: readonly [string, string, string][] = [
    ['a\r\nb\r\n', 'none', 'a\r\nb\r\n'],
    ['a\nb', 'lf', 'a\r\nb'],
    ['a\rb', 'cr', 'a\r\nb'],
    ['a\r', 'cr', 'a\r\n'],
    ['\n', 'lf', '\r\n'],
    ['a\r\r\nb', 'cr', 'a\r\n\r\nb'],
    ['a\r\n\nb', 'lf', 'a\r\n\r\nb'],
    ['\r\n\r\n', 'none', '\r\n\r\n'],
  ];
  for (const [text, found, normal] of cases)
    everySplit(text, (chunks, where) => {
      assert.equal(guarded('refuse', chunks).found, found, `${JSON.stringify(text)} ${where}`);
      assert.deepEqual(guarded('normalise', chunks), { found, content: normal }, `${JSON.stringify(text)} ${where}`);
      if (found === 'none') assert.equal(guarded('refuse', chunks).content, text, where);
    });
});

test('whatever newlines come in, normalised content has only CRLF', () => {
  const text = fc.string({ unit: fc.constantFrom('\r', '\n', 'a', '\r\n'), maxLength: 30 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 5 }), (parts) => {
      const { content } = guarded(
        'normalise',
        parts.map((part) => Buffer.from(part)),
      );
      assert.doesNotMatch(content, /\r(?!\n)|(?<!\r)\n/);
      assert.equal(content, parts.join('').replace(/\r\n|\r|\n/g, '\r\n'));
    }),
    { numRuns: 1000 },
  );
});

test('XCLIENT tells address, port, name and HELO, and never LOGIN', () => {
  assert.deepEqual(value(parseXclient('ADDR=IPV6:2001:db8::1 PORT=25 NAME=[UNAVAILABLE] HELO=a+2Bb PROTO=esmtp')), {
    address: '2001:db8::1',
    port: 25,
    helo: 'a+b',
    proto: 'ESMTP',
  });
  for (const text of ['LOGIN=root', 'ADDR=1.2.3', 'PORT=99999', 'ADDR', '', 'PROTO=HTTP', 'NAME='])
    assert.equal(kind(parseXclient(text)), 'parameter', text);
});
