import assert from 'node:assert/strict';
import { test } from 'node:test';
import { content, LETTER, outcome, type ScreenOptions, SERVER_ADDRESS, screening, transact } from '../../world.ts';

const run = async (options: ScreenOptions, from: string | null, to: string, author = 'alice@example.com') =>
  outcome(await transact(screening(options), from, [to], content(LETTER.replace('bob@remote.example', author))));

const ALICE = { account: 'alice@example.com' };

test('who signed in sends as itself, as an alias that leads to it, and with the null reverse-path', async () => {
  assert.deepEqual(await run(ALICE, 'alice@example.com', 'bob@remote.example'), ['outbound', 'accept']);
  assert.deepEqual(await run(ALICE, 'team@example.com', 'bob@remote.example', 'team@example.com'), [
    'outbound',
    'accept',
  ]);
  assert.deepEqual(await run(ALICE, null, 'bob@remote.example'), ['outbound', 'accept']);
});

test('an account that was taken over writes as its boss, as a bank, as nobody: refused at RCPT', async () => {
  for (const sender of ['dora@example.com', 'service@bank.example', 'nobody@example.com'])
    assert.deepEqual(await run(ALICE, sender, 'bob@remote.example'), ['553 5.7.1'], sender);
});

test('its own envelope around another\u2019s From field is refused at the end of the message', async () => {
  for (const author of ['dora@example.com', 'service@bank.example', 'alice@example.com, dora@example.com'])
    assert.deepEqual(await run(ALICE, 'alice@example.com', 'bob@remote.example', author), ['outbound', '550 5.7.1']);
});

test('a second, malformed From field hides nobody', async () => {
  const author = 'alice@example.com>\r\nFrom: <dora@example.com';
  const [, reply] = await run(ALICE, 'alice@example.com', 'bob@remote.example', author);
  assert.match(reply!, /^5\d\d /);
});

test('the login of a domain writes as every address of it, and as none of another', async () => {
  const options = { account: '@example.com' };
  assert.deepEqual(await run(options, 'al@example.com', 'bob@remote.example', 'nobody@example.com'), [
    'outbound',
    'accept',
  ]);
  assert.deepEqual(await run(options, 'eve@other.example', 'bob@remote.example'), ['553 5.7.1']);
});

test('each half can be turned off, and a domain mail server is not asked for credentials', async () => {
  const settings = { 'senderMatchesLogin.envelope': false, 'senderMatchesLogin.from': false };
  assert.deepEqual(await run({ ...ALICE, settings }, 'eve@bank.example', 'bob@remote.example', 'eve@bank.example'), [
    'outbound',
    'accept',
  ]);
  const required = { 'authenticationRequired.enabled': true };
  const server = { client: SERVER_ADDRESS, settings: required };
  assert.deepEqual(await run(server, 'alice@example.com', 'bob@remote.example'), ['outbound', 'accept']);
});

test('where authentication is required, a stranger sends as a local domain to nobody', async () => {
  const settings = { 'authenticationRequired.enabled': true, 'relay.onlyDomainServers': false };
  assert.deepEqual(await run({ settings }, 'alice@example.com', 'alice@example.com'), ['530 5.7.0']);
  assert.deepEqual(await run({ settings }, 'bob@remote.example', 'alice@example.com'), ['inbound', 'accept']);
  const spared = { ...settings, 'authenticationRequired.unlessToLocal': true };
  assert.deepEqual((await run({ settings: spared }, 'alice@example.com', 'alice@example.com'))[0], 'inbound');
  assert.deepEqual(await run({ settings: spared, ...ALICE }, 'alice@example.com', 'alice@example.com'), [
    'internal',
    'accept',
  ]);
});

/** A header before the rest of the letter, in place of its From field. */
const submitted = async (options: ScreenOptions, header: string): Promise<string> => {
  const text = LETTER.replace(/^From: [^\r]*\r\n/m, header.replaceAll(/\r?\n/g, '\r\n'));
  return outcome(await transact(screening(options), null, ['bob@remote.example'], content(text))).at(-1)!;
};
const OWN = 'From: Alice <alice@example.com>\n';

for (const [move, from] of [
  ['leaves From empty', 'From:\n'],
  ['writes a group of nobody', 'From: g:;\n'],
  ['writes a name without an address', 'From: The Boss\n'],
  ['writes an empty angle', 'From: Boss <>\n'],
  ['leaves From out', 'X-From: dora@example.com\n'],
  ['writes only a comment', 'From: (dora)\n'],
] as const)
  test(`a signed-in attacker ${move} and lets Sender name another: 550 5.6.0`, async () => {
    assert.equal(await submitted(ALICE, `${from}Sender: dora@example.com\n`), '550 5.6.0');
    assert.equal(await submitted(ALICE, from), '550 5.6.0');
  });

for (const [move, fields] of [
  ['names another in Sender', 'Sender: dora@example.com\n'],
  ['names another in Sender with white space before the colon', 'Sender : dora@example.com\n'],
  ['names another in a second Sender', 'Sender: alice@example.com\nSender: dora@example.com\n'],
  ['hides another in an odd Sender', 'Sender: dora@example.com <alice@example.com>\n'],
  ['encodes another in Sender', 'Sender: =?utf-8?q?dora=40example.com?=\n'],
  ['leaves Sender empty', 'Sender:\n'],
  ['resends as another', 'Resent-From: dora@example.com\nResent-To: x@remote.example\n'],
  ['resends as itself, and as another who sends', 'Resent-From: alice@example.com\nResent-Sender: dora@example.com\n'],
  ['puts a field into the Resent block', 'Resent-From: alice@example.com\nX-A: b\nResent-Sender: dora@example.com\n'],
  ['begins the Resent block with a date', 'Resent-Date: x\nResent-From: dora@example.com\n'],
  ['resends as nobody', 'Resent-From: g:;\n'],
] as const)
  test(`a signed-in attacker ${move}: 550 5.7.1`, async () => {
    assert.equal(await submitted(ALICE, fields + OWN), '550 5.7.1');
    assert.equal(await submitted(ALICE, OWN + fields), '550 5.7.1');
  });

test('an account sends on what others resent before it, and names itself or what it was granted in Sender', async () => {
  for (const fields of [
    'Sender: Alice <alice@example.com>\n',
    'Sender: al@example.com\n',
    'Resent-From: alice@example.com\nResent-Date: x\nResent-From: dora@example.com\n',
    'Resent-From: alice@example.com\nReceived: from a by b\nResent-Sender: dora@example.com\n',
    'Reply-To: dora@example.com\n',
  ])
    assert.equal(await submitted(ALICE, fields + OWN), 'accept', fields);
});

test('names with commas, colons and semicolons are sent for the account that has the address', async () => {
  for (const name of [
    'Alice, Example Inc.',
    'Scanner: 2nd floor',
    'Alice; Sales',
    'M\xfcller, Alice',
    'Alice @ Example',
  ])
    assert.equal(await submitted(ALICE, `From: ${name} <alice@example.com>\n`), 'accept', name);
});

test('a domain mail server and a login of a domain send what others wrote, resent or left without an author', async () => {
  const foreign = 'Sender: list@other.example\nResent-From: x@other.example\n';
  for (const header of [`${foreign}From: g:;\n`, `${foreign}From: MAILER-DAEMON\n`, `${foreign}${OWN}`])
    for (const options of [{ client: SERVER_ADDRESS }, { account: '@example.com' }])
      assert.equal(await submitted(options, header), 'accept', header);
});

test('an account hides the boss in a Resent block without Resent-From on top, or in a field whose name has a control in it', async () => {
  for (const field of [
    'Resent-Date: x\r\nReceived: by x\r\nResent-From: dora@example.com',
    'Resent-To: a@b.test\r\nResent-To: b@b.test\r\nResent-From: dora@example.com',
    '\fSender: dora@example.com',
    'Resent-From\x01: dora@example.com',
  ])
    assert.deepEqual(
      await run(ALICE, 'alice@example.com', 'bob@remote.example', `alice@example.com\r\n${field}`),
      ['outbound', '550 5.7.1'],
      field,
    );
  const older = 'Resent-From: alice@example.com\r\nResent-Date: x\r\nResent-From: dora@example.com';
  assert.deepEqual(await run(ALICE, 'alice@example.com', 'bob@remote.example', `alice@example.com\r\n${older}`), [
    'outbound',
    'accept',
  ]);
});
