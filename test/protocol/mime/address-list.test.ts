import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddressList, readAddressField } from '../../../src/protocol/mime/address-list.ts';

const read = (value: string): string =>
  parseAddressList(value)
    .mailboxes.map((box) => `${box.displayName === undefined ? '' : `${box.displayName} `}[${box.local}|${box.domain}]`)
    .join(' ');

test('the forms of RFC 5322 are read', () => {
  const cases: [string, string][] = [
    ['alice@example.com', '[alice|example.com]'],
    ['Alice <alice@example.com>', 'Alice [alice|example.com]'],
    ['"Smith, Alice" <alice@example.com>, bob@example.org', 'Smith, Alice [alice|example.com] [bob|example.org]'],
    ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', 'Pete [pete|silly.test]'],
    ['"Joe \\"Q\\" Public" <joe@example.com>', 'Joe "Q" Public [joe|example.com]'],
    ['Team: a@example.com, B <b@example.com>;', '[a|example.com] B [b|example.com]'],
    ['undisclosed recipients: ;', ''],
    ['"odd@local part"@example.com', '[odd@local part|example.com]'],
    ['<@relay.example,@other.example:alice@example.com>', '[alice|example.com]'],
    ['alice@[192.0.2.1]', '[alice|[192.0.2.1]]'],
    ['=?utf-8?Q?J=C3=BCrgen?= <j@example.com>', '=?utf-8?Q?J=C3=BCrgen?= [j|example.com]'],
    ['jürgen@müller.example', '[jürgen|xn--mller-kva.example]'],
    ['ceo @ bank . test', '[ceo|bank.test]'],
    ['ceo@modern. test', '[ceo|modern.test]'],
    ['ceo@bank(c).test', '[ceo|bank.test]'],
    ['John . Q (q) . Public@(at)bank(b)\r\n . (dot) test (end)', '[John.Q.Public|bank.test]'],
    ['John Q. Public < ceo @ bank . test >', 'John Q. Public [ceo|bank.test]'],
    ['"a . b" @ bank.test', '[a . b|bank.test]'],
    ['ceo@BANK.test.', '[ceo|bank.test]'],
    [',, a@example.com ,', '[a|example.com]'],
  ];
  for (const [value, expected] of cases) {
    assert.equal(read(value), expected, value);
    assert.equal(parseAddressList(value).isMalformed, false, value);
  }
});

test('groups are named', () => {
  assert.deepEqual(parseAddressList('Team: a@example.com; Other:;').groups, ['Team', 'Other']);
});

test('an attacker writes a From that two readers take for two people', () => {
  const moves = [
    'ceo@bank.example <thief@evil.example> <x@y.example>',
    '<a@bank.example>b@evil.example',
    'a@bank.example@evil.example',
    'a@bank.example b@evil.example',
    '"a@bank.example <b@evil.example>',
    'a@bank.example (<b@evil.example>',
    '<a@bank.example',
    'a@bank.example; b@evil.example',
    'ceo@bank(c)x.test',
    'ceo@"bank.test"',
    'ceo boss@bank.test',
    'ceo@mod\u200bern.test',
    'alice',
    '@example.com',
    'alice@',
    '<>',
  ];
  for (const value of moves) assert.equal(parseAddressList(value).isMalformed, true, value);
});

test('an address as display name is a display name, and the brackets decide', () => {
  const list = parseAddressList('"ceo@bank.example" <thief@evil.example>');
  assert.equal(list.isMalformed, false);
  assert.deepEqual(list.mailboxes, [{ displayName: 'ceo@bank.example', local: 'thief', domain: 'evil.example' }]);
});

test('comments are kept with the address that they stand at', () => {
  const { mailboxes } = parseAddressList('x@evil.test (Jane \\(D\\)), (a) Bob <b@(c)home.test> (d (e)), y@home.test');
  assert.deepEqual(
    mailboxes.map(({ comment }) => comment),
    ['Jane (D)', 'a c d (e)', undefined],
  );
});

test('an encoded word is one atom, whatever stands in it', () => {
  for (const [value, expected, isMalformed] of [
    ['=?utf-8?q?Doe,_Jane?= <x@evil.test>', '=?utf-8?q?Doe,_Jane?= [x|evil.test]', false],
    ['=?utf-8?Q?Jane:?= =?utf-8?Q?ab;?= <x@evil.test>', '=?utf-8?Q?Jane:?= =?utf-8?Q?ab;?= [x|evil.test]', false],
    ['=?utf-8?Q?a@b;?= <x@evil.test>', '=?utf-8?Q?a@b;?= [x|evil.test]', true],
    ['=?utf-8?q?<j@home.test>?= <x@evil.test>', '=?utf-8?q?<j@home.test>?= [x|evil.test]', true],
    ['=?utf-8?q?a@home.test?=', '', true],
    ['=?utf-8?q?a, x@evil.test', '=?utf-8?q?a [x|evil.test]', true],
  ] as const) {
    assert.equal(read(value), expected);
    assert.equal(parseAddressList(value).isMalformed, isMalformed, value);
  }
});

test('two addresses in angle brackets are two people', () => {
  assert.equal(read('<a@bank.example> <b@evil.example>'), '[a|bank.example] [b|evil.example]');
});

test('a domain that cannot be read is told as it is written, and is no domain', () => {
  for (const written of ['bank..test', '=?utf-8?q?bank.test?=', '[bank.test]', 'mod\0ern.test'])
    assert.deepEqual(parseAddressList(`ceo@${written}`), {
      mailboxes: [{ displayName: undefined, local: 'ceo', domain: '', writtenDomain: written }],
      groups: [],
      words: '',
      isMalformed: true,
      isCut: false,
    });
});

test('octets that are not UTF-8 spoil the domain that they are in, and no other', () => {
  const [first, second, third] = readAddressField(
    'J\xfcrgen <j@example.com>, ceo@modern\xff.test, k@m\xc3\xbcller.example',
  ).mailboxes;
  assert.deepEqual([first?.domain, second?.domain, third?.domain], ['example.com', '', 'xn--mller-kva.example']);
});

test('comments nested beyond the bound are malformed, not a stack overflow', () => {
  assert.equal(parseAddressList(`${'('.repeat(60_000)} a@example.com`).isMalformed, true);
});

test('what is written as a list is read as that list', () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const name = word.map((label) => `${label}.example`);
  const mailbox = fc.record(
    { displayName: fc.option(word, { nil: undefined }), local: word, domain: name },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(mailbox, { minLength: 1, maxLength: 5 }), (boxes) => {
      const text = boxes
        .map(({ displayName, local, domain }) =>
          displayName ? `"${displayName}" <${local}@${domain}>` : `${local}@${domain}`,
        )
        .join(', ');
      assert.deepEqual(parseAddressList(text), {
        mailboxes: boxes,
        groups: [],
        words: '',
        isMalformed: false,
        isCut: false,
      });
    }),
  );
});

test('white space and comments around the dots and the at-sign change nobody', () => {
  const label = fc.stringMatching(/^[a-z]{1,8}$/);
  const filling = fc.constantFrom('', ' ', '\t', ' (a.b@c) ', '(x)', '\r\n ');
  const dotted = fc.array(label, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(dotted, dotted, fc.array(filling, { minLength: 20, maxLength: 20 }), (local, domain, fillings) => {
      let next = 0;
      const fill = (): string => fillings[next++]!;
      const join = (labels: readonly string[]): string => labels.map((one) => fill() + one + fill()).join('.');
      const { mailboxes, isMalformed } = parseAddressList(`${join(local)}@${join(domain)}`);
      const [only, ...others] = mailboxes.map((mailbox) => `${mailbox.local}@${mailbox.domain}`);
      assert.deepEqual([only, others], [`${local.join('.')}@${domain.join('.')}`, []]);
      assert.equal(isMalformed, false);
    }),
  );
});

test('every value is read: domains are A-labels or empty, and what is empty is malformed', () => {
  const piece = fc.constantFrom(
    ...['a', '.', '@', ' ', '"', '(', ')', '<', '>', ',', ':', ';', '[', ']', '\\', '%', '\0', '=?utf-8?q?a,?='],
    ...['ü', '\u200b', '\u200d', '\uff0e', '\u2024', '\u202e', '\xff', 'xn--mller-kva', '1'],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const { mailboxes, isMalformed } = parseAddressList(pieces.join(''));
      for (const { domain } of mailboxes) {
        assert.match(domain, /^$|^\[.*\]$|^[!-~]+$/);
        assert.ok(domain !== '' || isMalformed);
      }
    }),
  );
});
