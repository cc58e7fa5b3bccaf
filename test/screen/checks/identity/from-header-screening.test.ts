import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddressList } from '../../../../src/protocol/mime/address-list.ts';
import { decodeUnstructured } from '../../../../src/protocol/mime/encoded-words.ts';
import { fromHeaderScreening } from '../../../../src/screen/checks/identity/from-header-screening.ts';
import { type ScreenOptions, SERVER_ADDRESS } from '../../world.ts';
import { encoded, screened, shownFrom } from './screened.ts';

const EXPOSE = { 'fromHeaderScreening.exposeMismatch': true };
const screen = (from: string, options?: ScreenOptions & { reversePath?: string; to?: string }) =>
  screened(fromHeaderScreening, from, { ...options, settings: { ...EXPOSE, ...options?.settings } });
const ADD = { settings: { 'fromHeaderScreening.addAddress': true } };
const FIRST = { settings: { ...ADD.settings, 'fromHeaderScreening.addressFirst': true } };

for (const [move, from, shown] of [
  ['plainly', '"boss@example.com" <eve@other.example>', '"eve@other.example" <eve@other.example>'],
  ['in a comment', 'eve@other.example (boss@example.com)', '"eve@other.example" <eve@other.example>'],
  [
    'in a comment behind a name',
    'Boss <eve@other.example> (boss@example.com)',
    '"Boss (eve@other.example)" <eve@other.example>',
  ],
  ['as the name of a group', '"boss@example.com": eve@other.example;', '<eve@other.example>'],
  [
    'in an encoded word with brackets',
    '=?utf-8?q?<boss@example.com>?= <eve@other.example>',
    '"<eve@other.example>" <eve@other.example>',
  ],
  ['beside a name', '"Boss (boss@example.com)" <eve@other.example>', '"Boss (eve@other.example)" <eve@other.example>'],
  [
    'without quotes around',
    'Boss boss@example.com <eve@other.example>',
    '"Boss eve@other.example" <eve@other.example>',
  ],
  ['with a full-width at-sign', 'boss＠example.com <eve@other.example>', '"eve@other.example" <eve@other.example>'],
  ['with a small at-sign', '"boss﹫example.com" <eve@other.example>', '"eve@other.example" <eve@other.example>'],
  ['with an ideographic dot', '"boss＠example。com" <eve@other.example>', '"eve@other.example" <eve@other.example>'],
  [
    'with a zero-width space',
    '"boss\u200b@exam\u200bple.com" <eve@other.example>',
    '"eve@other.example" <eve@other.example>',
  ],
  [
    'with a space before the at-sign',
    '"boss @example.com" <eve@other.example>',
    '"eve@other.example" <eve@other.example>',
  ],
  [
    'in an encoded word',
    `${encoded('boss@example.com')} <eve@other.example>`,
    '"eve@other.example" <eve@other.example>',
  ],
  [
    'in an encoded word in quotes',
    `"${encoded('boss@example.com')}" <eve@other.example>`,
    '"eve@other.example" <eve@other.example>',
  ],
  [
    'in the second of two authors',
    'Bob <bob@other.example>, "boss@example.com" <eve@other.example>',
    '"Bob" <bob@other.example>, "eve@other.example" <eve@other.example>',
  ],
  ['in a group', 'Team: "boss@example.com" <eve@other.example>;', '"eve@other.example" <eve@other.example>'],
] as const) {
  test(`a stranger who shows another's address ${move} is shown by his own`, async () => {
    const result = await screen(from);
    assert.equal(result.code, 'address-mismatch');
    assert.equal(shownFrom(result), shown);
  });
}

test('names beyond ASCII stay what they are beside the exposed address', async () => {
  const raw = shownFrom(await screen(`${encoded('Jürgen Größe, boss@example.com')} <eve@other.example>`))!;
  const [mailbox] = parseAddressList(raw).mailboxes;
  assert.equal(decodeUnstructured(mailbox!.displayName!, 200), 'Jürgen Größe, eve@other.example');
});

test('honest names are left alone, and by default nothing is added', async () => {
  for (const from of [
    'bob@other.example',
    'Bob <bob@other.example>',
    '"bob@other.example" <Bob@other.example>',
    '"Bob @ Work" <bob@other.example>',
    '"@bob" <bob@other.example>',
  ])
    assert.deepEqual(await screen(from).then(({ edits, findings }) => [edits, findings]), [[], []], from);
});

test('the address is added behind the name or before it, once, and to every author', async () => {
  assert.equal(shownFrom(await screen('Bob <b@other.example>', ADD)), '"Bob (b@other.example)" <b@other.example>');
  assert.equal(shownFrom(await screen('Bob <b@other.example>', FIRST)), '"b@other.example (Bob)" <b@other.example>');
  assert.equal(shownFrom(await screen('"Bob (b@other.example)" <b@other.example>', ADD)), undefined);
  assert.equal(shownFrom(await screen('b@other.example', ADD)), undefined);
  assert.equal(
    shownFrom(await screen('A <a@other.example>, B <b@other.example>', ADD)),
    '"A (a@other.example)" <a@other.example>, "B (b@other.example)" <b@other.example>',
  );
});

test('who signed in, or is a domain mail server, is not rewritten', async () => {
  const from = '"boss@example.com" <alice@example.com>';
  const own = { reversePath: 'alice@example.com' };
  assert.deepEqual((await screen(from, { client: SERVER_ADDRESS, ...own })).edits, []);
  assert.deepEqual((await screen(from, { account: 'alice@example.com', ...own })).edits, []);
  assert.notDeepEqual((await screen(from, own)).edits, []);
});

test('by default the mismatch is found and scored, and the message is left as it came', async () => {
  const result = await screened(fromHeaderScreening, '"boss@example.com" <eve@other.example>');
  assert.deepEqual([result.code, result.edits], ['address-mismatch', []]);
});

test('a domain that only records the mismatch gets the field as it came', async () => {
  const settings = { 'example.com/fromHeaderScreening.exposeMismatch': false };
  const result = await screen('"boss@example.com" <eve@other.example>', { settings });
  assert.deepEqual([result.code, result.edits], ['address-mismatch', []]);
});

test('a From field with more authors than are looked at is reported and not shortened', async () => {
  const many = Array.from({ length: 30 }, (_, i) => `"boss@example.com" <e${i}@other.example>`).join(', ');
  const result = await screen(many);
  assert.deepEqual([result.code, result.edits], ['address-mismatch', []]);
});

test('whatever the name holds, the field written is one field that names the same sender', async () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.constant('boss@example.com", <a@b.c>\r\nBcc: x'),
  );
  await fc.assert(
    fc.asyncProperty(name, async (text) => {
      const raw = (await screen(`${encoded(`${text} boss@example.com`)} <eve@other.example>`, ADD)).edits[0];
      if (!raw || !('raw' in raw)) return;
      assert.match(raw.raw, /^From: [^\r\n]*(\r\n [^\r\n]+)*\r\n$/);
      assert.ok([...raw.raw].every((character) => character <= '~'));
      const list = parseAddressList(raw.raw.slice(6).replaceAll('\r\n', ''));
      assert.deepEqual(
        list.mailboxes.map(({ local, domain }) => `${local}@${domain}`),
        ['eve@other.example'],
      );
      assert.equal(list.isMalformed, false);
    }),
    { numRuns: 100 },
  );
});
