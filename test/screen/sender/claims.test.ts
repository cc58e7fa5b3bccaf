/** Servers on infrastructure that strangers send from, too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerCondition } from '../../../src/directory/contract.ts';
import { content, outcome, type ScreenOptions, screening, transact } from '../world.ts';

const ALICE = 'alice@example.com';
const OUT = 'out@remote.example';
const MARK: ServerCondition = { kind: 'tenant-marker', header: 'x-originatororg', value: 'Example.COM' };
const MARKED = [{ domain: 'example.com', conditions: [MARK] }];
const BY_MARK: ScreenOptions = { claims: MARKED, settings: { 'spf.enabled': false, 'dmarc.enabled': false } };

const letter = (...fields: string[]): string =>
  [`From: ${ALICE}`, 'Subject: hello', 'Message-ID: <1@example.com>', ...fields, '', 'Hello.', ''].join('\r\n');

async function send(options: ScreenOptions, from: string | null, to: string[], text: string, inMemory = true) {
  const screened = screening(options);
  const said = await transact(screened, from, to, content(text, inMemory));
  return { ...screened, said, outcome: outcome(said) };
}

test('a message with the mark goes out as the domain’s, and the mark stays here', async () => {
  for (const inMemory of [true, false]) {
    const text = letter('X-OriginatorOrg: Example.COM');
    const { said, outcome: came, events } = await send(BY_MARK, ALICE, [OUT, ALICE], text, inMemory);
    assert.deepEqual(came, ['outbound', 'internal', 'accept,accept']);
    assert.ok(said.recipients.every((one) => one.accepted && one.trusted && one.author === '@example.com'));
    assert.ok(said.message?.kind === 'commit' && said.message.corrections === undefined);
    const removal = { kind: 'remove', name: 'x-originatororg', occurrence: 0 };
    assert.deepEqual(said.message.edits[0]?.at(-1), removal);
    assert.ok(!said.message.edits[1]?.some((edit) => edit.kind === 'remove' && edit.name === removal.name));
    assert.equal(events.count('screen.unmarked'), 0);
  }
});

test('the mark is found behind a fold and blanks, and nowhere in the body', async () => {
  const [head = '', body] = letter().split('\r\n\r\n');
  assert.deepEqual((await send(BY_MARK, ALICE, [OUT], letter('X-ORIGINATORORG :\r\n\tExample.COM  '))).outcome, [
    'outbound',
    'accept',
  ]);
  const inBody = `${head}\r\n\r\nX-OriginatorOrg: Example.COM\r\n${body}`;
  assert.deepEqual((await send(BY_MARK, ALICE, [OUT], inBody)).outcome, ['outbound', '550 5.7.1']);
});

test('attack: another tenant of the provider sends as us: refused after the data, and told once', async () => {
  const { said, outcome: came, events } = await send(BY_MARK, ALICE, [OUT], letter('X-OriginatorOrg: evil.example'));
  assert.deepEqual(came, ['outbound', '550 5.7.1']);
  assert.ok(said.message?.kind === 'reply' && /mark/.test(String(said.message.reply.text)));
  const findings = said.message.findings.flatMap((one) => one.findings);
  assert.ok(findings.some(({ check, code }) => check === 'relay' && code === 'unmarked'));
  assert.deepEqual(events.last('screen.unmarked'), { session: 's1', address: '198.51.100.7', domain: 'example.com' });
});

test('attack: a mark of another case, with more behind it, twice, or in a field of a similar name', async () => {
  for (const fields of [
    ['X-OriginatorOrg: example.com'],
    ['X-OriginatorOrg: Example.COM, evil.example'],
    ['X-OriginatorOrg: Example.COM', 'X-OriginatorOrg: evil.example'],
    ['X-OriginatorOrg: evil.example', 'x-originatororg : Example.COM'],
    ['X-OriginatorOrg: Example.COM', 'X-OriginatorOrg: Example.COM'],
    ['X-OriginatorOrganisation: Example.COM'],
    ['X-Other: a\r\n X-OriginatorOrg: Example.COM'],
    [],
  ])
    assert.deepEqual(
      (await send(BY_MARK, ALICE, [OUT], letter(...fields))).outcome,
      ['outbound', '550 5.7.1'],
      fields.join(),
    );
});

test('without the mark local recipients get it as from a stranger, and who is refused behind them is held', async () => {
  const settings = { ...BY_MARK.settings, 'relay.exceptLocalRecipients': true };
  const { said, outcome: came } = await send({ ...BY_MARK, settings }, ALICE, [OUT, ALICE], letter());
  assert.deepEqual(came, ['outbound', 'internal', 'hold,accept']);
  assert.ok(said.message?.kind === 'commit');
  assert.deepEqual(said.message.dispositions[0], {
    kind: 'hold',
    class: 'admin',
    reason:
      'late refusal: relay: a server on shared infrastructure sends without the tenant marker that was entered for it: another customer of the provider could have sent it',
    by: { check: 'relay', code: 'unmarked' },
  });
  const stranger = { trusted: false, author: undefined };
  assert.deepEqual(said.message.corrections, [
    { direction: 'outbound', policyDomain: '', ...stranger },
    { direction: 'inbound', policyDomain: 'example.com', ...stranger },
  ]);
  const local = await send(BY_MARK, ALICE, [ALICE], letter());
  assert.deepEqual(local.outcome, ['internal', '550 5.7.1'], 'a stranger may not write as a user');
});

test('without the mark everything is verified that a server of ours is spared', async () => {
  const settings = { 'relay.onlyDomainServers': false, 'dmarc.enabled': false };
  const made = async (...fields: string[]): Promise<unknown> => {
    const { said } = await send({ claims: MARKED, settings }, ALICE, [ALICE], letter(...fields));
    return (said.message?.evidence['spf'] as { made?: boolean; why?: string } | undefined)?.why;
  };
  assert.equal(await made('X-OriginatorOrg: Example.COM'), 'domain-server');
  assert.notEqual(await made(), 'domain-server');
});

test('a null reverse-path is of the domain whose mark the header bears', async () => {
  const other: ServerCondition = { ...MARK, value: 'empty.example' } as ServerCondition;
  const claims = [...MARKED, { domain: 'empty.example', conditions: [other] }];
  const bounce = async (value: string) =>
    send({ ...BY_MARK, claims }, null, [OUT], letter(`X-OriginatorOrg: ${value}`));
  const first = await bounce('Example.COM');
  assert.deepEqual(first.outcome, ['outbound', 'accept']);
  const second = await bounce('empty.example');
  assert.deepEqual(second.outcome, ['outbound', 'accept']);
  assert.ok(second.said.message?.kind === 'commit');
  assert.equal(second.said.message.corrections?.[0]?.author, '@empty.example');
  assert.deepEqual((await bounce('evil.example')).outcome, ['outbound', '550 5.7.1']);
});

test('a message whose header has no end within bounds bears no mark', async () => {
  const text = letter('X-OriginatorOrg: Example.COM', `X-Long: ${'a'.repeat(300_000)}`);
  const { outcome: came } = await send(BY_MARK, ALICE, [OUT], text);
  assert.deepEqual(came, ['outbound', '550 5.7.1']);
});

const certificate = { fingerprint: 'ab'.repeat(32), names: ['mail.example.com'], verified: true };
const BY_NAME = [
  { domain: 'example.com', conditions: [{ kind: 'client-certificate', value: 'mail.example.com' }] },
] as const;
const BY_PRINT = [
  { domain: 'example.com', conditions: [{ kind: 'client-certificate', value: 'ab'.repeat(32) }] },
] as const;

test('a client certificate makes it the domain’s server: by its name where it verifies, by its fingerprint always', async () => {
  const run = async (options: ScreenOptions) => (await send(options, ALICE, [OUT], letter())).outcome;
  assert.deepEqual(await run({ claims: BY_NAME, certificate }), ['outbound', 'accept']);
  assert.deepEqual(await run({ claims: BY_PRINT, certificate: { ...certificate, verified: false } }), [
    'outbound',
    'accept',
  ]);
});

test('attack: no certificate, one of my own making under that name, another’s, and the provider’s own', async () => {
  const run = async (options: ScreenOptions) => (await send(options, ALICE, [OUT], letter())).outcome;
  for (const shown of [
    undefined,
    { ...certificate, verified: false },
    { ...certificate, names: ['mail.example.com.evil.example', 'evil.example'] },
    { ...certificate, names: ['mail.example.com', '*.mail.protection.outlook.com'] },
  ])
    assert.deepEqual(await run({ claims: BY_NAME, ...(shown && { certificate: shown }) }), ['550 5.7.1']);
  const other = { ...certificate, fingerprint: 'cd'.repeat(32) };
  assert.deepEqual(await run({ claims: BY_PRINT, certificate: other }), ['550 5.7.1']);
});

test('a server that signs in as its domain is its server; a user’s password does not make it one', async () => {
  const claims = [{ domain: 'example.com', conditions: [{ kind: 'sign-in' }] }] as const;
  const run = async (account: string | undefined, from = ALICE) =>
    (await send({ claims, profile: 'mx', ...(account && { account }) }, from, [OUT], letter())).outcome;
  assert.deepEqual(await run('@example.com'), ['outbound', 'accept']);
  assert.deepEqual(await run(ALICE), ['550 5.7.1']);
  assert.deepEqual(await run('@empty.example'), ['553 5.7.1']);
  assert.deepEqual(await run(undefined), ['550 5.7.1']);
});

test('a stranger elsewhere, and senders of other domains, gain nothing by such a server', async () => {
  const text = letter('X-OriginatorOrg: Example.COM');
  for (const from of ['bob@remote.example', 'a@empty.example'])
    assert.deepEqual((await send(BY_MARK, from, [OUT], text)).outcome, ['550 5.7.1'], from);
});
