import assert from 'node:assert/strict';
import { test } from 'node:test';
import { content, LETTER, outcome, type ScreenOptions, SERVER_ADDRESS, screening, transact } from '../world.ts';

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
  assert.deepEqual(await run(options, 'dora@example.com', 'bob@remote.example', 'nobody@example.com'), [
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
