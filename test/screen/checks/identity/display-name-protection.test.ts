import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { displayNameProtection } from '../../../../src/screen/checks/identity/display-name-protection.ts';
import { SERVER_ADDRESS, type SettingTable } from '../../world.ts';
import { encoded, screened } from './screened.ts';

const PROTECTED = ['Jane Doe <jane@example.com>, jane.doe@home.example', '"Müller, Jörg" <joerg@example.com>'];

const screen = (from: string, settings: SettingTable = {}, people: Record<string, string> = {}) =>
  screened(displayNameProtection, from, {
    settings: { 'displayNameProtection.protectedUsers': PROTECTED, ...settings },
    people,
  });
const codeOf = async (name: string, settings?: SettingTable): Promise<string | undefined> =>
  (await screen(`${encoded(name)} <ceo@other.example>`, settings)).code;

for (const [move, name] of [
  ['takes the name as it is', 'Jane Doe'],
  ['swaps the order', 'Doe, Jane'],
  ['changes case', 'JANE dOE'],
  ['writes the initial', 'J. Doe'],
  ['puts a title before it', 'Dr. Jane Doe'],
  ['puts words around it', 'Office of Jane Doe (CEO) via Docs'],
  ['spreads the letters', 'J a n e   D o e'],
  ['joins the words', 'JaneDoe'],
  ['joins them with a dot', 'jane.doe'],
  ['puts a no-break space between them', 'Jane\u00a0Doe'],
  ['puts zero-width characters into it', 'Ja\u200bne D\u2060oe'],
  ['hides a soft hyphen and a tag in it', 'Jane Do\u00ad\u{e0041}e'],
  ['writes Cyrillic letters', 'Jаnе Dое'],
  ['writes Greek letters', 'Jαne Dοe'],
  ['writes full-width letters', 'Ｊａｎｅ Ｄｏｅ'],
  ['writes mathematical letters', '𝐉𝐚𝐧𝐞 𝕯𝖔𝖊'],
  ['adds accents', 'Jáne Döe'],
  ['writes a nought', 'Jane D0e'],
  ['turns the direction of the text', '\u202eeoD enaJ'],
  ['mistypes a letter', 'Jane Dooe'],
  ['leaves out the accents', 'Jorg Muller'],
] as const) {
  test(`a stranger who ${move} is noticed as the protected user`, async () => {
    assert.equal(await codeOf(name), 'protected-user');
  });
}

for (const [move, from] of [
  ['in a comment', 'x@other.example (Jane Doe)'],
  ['in an encoded comment', `x@other.example (${encoded('Jane Doe')})`],
  ['in a comment beside a harmless name', 'Support <x@other.example> (Jane Doe)'],
  ['as the name of a group', 'Jane Doe: x@other.example;'],
  ['as the name of a group without members', 'Jane Doe:;'],
  ['in an encoded word with a colon', '=?utf-8?q?Jane_Doe:?= <x@other.example>'],
  ['in an encoded word with a comma', '=?utf-8?q?Doe,_Jane?= <x@other.example>'],
  ['with a comma and no quotes', 'Doe, Jane <x@other.example>'],
  ['with a comma and a title', 'Doe, Jane, CEO <x@other.example>'],
  ['before a comma', 'Jane Doe, x@other.example'],
  ['without an address', 'Jane Doe'],
] as const) {
  test(`a stranger who writes the name ${move} is noticed as the protected user`, async () => {
    assert.equal((await screen(from)).code, 'protected-user');
  });
}

test('the protected user may write his name in these ways, too', async () => {
  for (const from of [
    'jane@example.com (Jane Doe)',
    'Jane Doe: jane@example.com;',
    'Doe, Jane <jane@example.com>',
    '=?utf-8?q?Doe,_Jane?= <jane@example.com>',
  ])
    assert.equal((await screen(from)).code, undefined, from);
});

test('other people are other people, also with the same given or family name', async () => {
  for (const name of [
    'Jane Roe',
    'John Doe',
    'Jane',
    'Doe',
    'Janet Dorsey',
    'Example Support',
    'Newsletter',
    '李雷',
    '',
  ])
    assert.equal(await codeOf(name), undefined, name);
});

test('the protected user writes from all of his addresses', async () => {
  for (const address of ['jane@example.com', 'JANE.doe@home.example'])
    assert.equal((await screen(`Jane Doe <${address}>`)).code, undefined, address);
});

test('a message that is only recorded is delivered with a score and a warning', async () => {
  const { findings, edits, disposition } = await screen('Jane Doe <ceo@other.example>');
  assert.deepEqual([findings[0]?.score, findings[0]?.outcome, disposition], [3, 'fail', 'accept']);
  assert.deepEqual(edits, [{ kind: 'prepend', raw: 'X-DisplayName-Spoof: same; similarity=100\r\n' }]);
});

test('free-mail providers are dealt with more strictly, in action and in threshold', async () => {
  assert.equal((await screen('Jane Doe <ceo@gmail.com>')).disposition, 'hold');
  assert.equal(
    (await screen('Jame Doe <ceo@other.example>', { 'displayNameProtection.threshold': 94 })).code,
    undefined,
  );
  assert.equal(
    (await screen('Jame Doe <ceo@gmail.com>', { 'displayNameProtection.threshold': 94 })).code,
    'protected-user',
  );
  const same = { 'displayNameProtection.freeMailAction': 'same' };
  assert.equal((await screen('Jane Doe <ceo@gmail.com>', same)).disposition, 'accept');
});

test('the domain’s action holds for every sender, and another domain has its own', async () => {
  const settings = { 'example.com/displayNameProtection.action': 'refuse' };
  assert.equal((await screen('Jane Doe <ceo@other.example>', settings)).disposition, 'reply');
});

test('accounts with a name are protected, and a colleague at a free-mail provider is only recorded', async () => {
  const people = { 'tom@example.com': 'Tom Sawyer' };
  const private_ = await screen('Tom Sawyer <tom77@gmail.com>', {}, people);
  assert.deepEqual([private_.code, private_.disposition], ['directory-name', 'accept']);
  assert.equal((await screen('Tom Sawyer <tom@example.com>', {}, people)).code, undefined);
  const off = { 'displayNameProtection.directoryNames': false };
  assert.equal((await screen('Tom Sawyer <x@other.example>', off, people)).code, undefined);
});

test('of two people of one name each may write', async () => {
  const people = { 'jane2@example.com': 'Jane Doe' };
  assert.equal((await screen('Jane Doe <jane2@example.com>', {}, people)).code, undefined);
  assert.equal((await screen('Jane Doe <jane@example.com>', {}, people)).code, undefined);
});

test('senders that the administrator allows are spared, by address, domain or everything below', async () => {
  for (const allowed of ['ceo@other.example', 'other.example', '*.example'])
    assert.equal(await codeOf('Jane Doe', { 'displayNameProtection.allowedSenders': [allowed] }), undefined, allowed);
  assert.notEqual(await codeOf('Jane Doe', { 'displayNameProtection.allowedSenders': ['*.other.example'] }), undefined);
});

test('who signed in, or is a domain mail server, may call himself as he likes', async () => {
  const settings = { 'displayNameProtection.protectedUsers': PROTECTED };
  const own = { settings, reversePath: 'alice@example.com' };
  const from = 'Jane Doe <alice@example.com>';
  assert.equal((await screened(displayNameProtection, from, { ...own, client: SERVER_ADDRESS })).code, undefined);
  assert.equal((await screened(displayNameProtection, from, { ...own, account: 'alice@example.com' })).code, undefined);
});

test('a threshold of 100 takes only equal names', async () => {
  const settings = { 'displayNameProtection.threshold': 100 };
  assert.equal(await codeOf('Jane Dooe', settings), undefined);
  assert.equal(await codeOf('Dое, Jаnе', settings), 'protected-user');
});

test('a protected user without a name or with a malformed address is refused as a setting', () => {
  const check = (displayNameProtection.settings['protectedUsers'] as { check(value: string[]): string | undefined })
    .check;
  assert.equal(check(PROTECTED), undefined);
  assert.match(check(['Müller, Jörg <joerg@example.com>'])!, /is none/);
  assert.match(check(['jane@example.com'])!, /"jane@example.com" is none/);
});

test('no name, however odd or long, throws or takes long', async () => {
  const odd = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ unit: 'grapheme', maxLength: 300 }));
  await fc.assert(
    fc.asyncProperty(odd, async (name) => {
      const { findings } = await screen(`${encoded(name)} <x@other.example>`);
      assert.ok(findings.every(({ code }) => code === 'protected-user'));
    }),
    { numRuns: 100 },
  );
  assert.equal(await codeOf('Jane Doe '.repeat(1000)), 'protected-user');
});
