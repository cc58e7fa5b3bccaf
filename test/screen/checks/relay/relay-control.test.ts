import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan } from '../../../../src/screen/engine/plan.ts';
import { createPolicies } from '../../../../src/screen/engine/policies.ts';
import { CHECKS } from '../../../../src/screen/index.ts';
import {
  content,
  settings as defaults,
  LETTER,
  outcome,
  type ScreenOptions,
  SERVER_ADDRESS,
  screening,
  transact,
} from '../../world.ts';

const run = async (options: ScreenOptions, from: string | null, to: string[], text = LETTER): Promise<string[]> =>
  outcome(await transact(screening(options), from, to, content(text)));
const ALICE = 'alice@example.com';
const BOB = 'bob@remote.example';
const OUTSIDE = '203.0.113.9';

test('a stranger who writes to a user as that user is refused', async () => {
  assert.deepEqual(await run({}, ALICE, [ALICE]), ['550 5.7.1']);
});

test('the exception for local recipients lets local mail in, and none out', async () => {
  const settings = { 'relay.exceptLocalRecipients': true };
  assert.deepEqual(await run({ settings }, ALICE, [ALICE, BOB]), ['inbound', '550 5.7.1', 'accept']);
});

test('a stolen password opens the submission port, and not that of servers', async () => {
  const own = LETTER.replace(BOB, ALICE);
  const signedIn = { account: ALICE, profile: 'submission' } as const;
  assert.deepEqual(await run(signedIn, ALICE, [BOB], own), ['outbound', 'accept']);
  assert.deepEqual(await run({ ...signedIn, profile: 'mx' }, ALICE, [BOB], own), ['550 5.7.1']);
  const settings = { 'relay.exceptAuthenticatedOn25': true };
  assert.deepEqual(await run({ ...signedIn, profile: 'mx', settings }, ALICE, [BOB], own), ['outbound', 'accept']);
});

test('a network that an operator paired with the domain may send out; a preset may not', async () => {
  const pairs = [['example.com', `${OUTSIDE}/32`]] as const;
  assert.deepEqual(await run({ client: OUTSIDE, pairs }, ALICE, [BOB]), ['outbound', 'accept']);
  assert.deepEqual(await run({ client: OUTSIDE, pairs }, BOB, ['eve@other.example']), ['550 5.7.1']);
  assert.deepEqual(await run({ client: '10.1.2.3' }, ALICE, [BOB]), ['550 5.7.1']);
  const off = { 'relay.exceptShielded': false };
  assert.deepEqual(await run({ client: OUTSIDE, pairs, settings: off }, ALICE, [BOB]), ['550 5.7.1']);
});

test('a pair of a domain that is not local opens no relay', async () => {
  const pairs = [['remote.example', OUTSIDE]] as const;
  assert.deepEqual(await run({ client: OUTSIDE, pairs }, BOB, ['eve@other.example']), ['550 5.7.1']);
});

test('an allow-listed client may write as a local sender only with the exception, and never elsewhere', async () => {
  const lists = [{ list: 'allow', kind: 'ip', value: OUTSIDE }] as const;
  assert.deepEqual(await run({ client: OUTSIDE, lists }, ALICE, [ALICE]), ['550 5.7.1']);
  const settings = { 'relay.exceptAllowListed': true };
  assert.deepEqual(await run({ client: OUTSIDE, lists, settings }, ALICE, [ALICE, BOB]), [
    'inbound',
    '550 5.7.1',
    'accept',
  ]);
});

test('a domain mail server that writes as nobody is refused 550 5.1.8, unless it may', async () => {
  const client = SERVER_ADDRESS;
  assert.deepEqual(await run({ client }, 'nobody@example.com', [BOB]), ['550 5.1.8']);
  assert.deepEqual(await run({ client }, 'unsure@example.com', [BOB]), ['451 4.4.3']);
  assert.deepEqual(await run({ client }, 'postmaster@example.com', [BOB]), ['outbound', 'accept']);
  const settings = { 'relay.senderExceptDomainServers': true };
  assert.deepEqual(await run({ client, settings }, 'nobody@example.com', [BOB]), ['outbound', 'accept']);
});

test('a domain mail server that forwards for senders elsewhere is told to rewrite them, or may relay', async () => {
  const client = SERVER_ADDRESS;
  const { recipients } = await transact(screening({ client }), BOB, ['eve@other.example']);
  const [verdict] = recipients;
  assert.ok(verdict && !verdict.accepted);
  assert.match(String(verdict.reply.text), /SRS/);
  const settings = { 'relay.throughDomainServers': true };
  assert.deepEqual(await run({ client, settings }, BOB, ['eve@other.example']), ['outbound', 'accept']);
  assert.deepEqual(await run({ settings }, BOB, ['eve@other.example']), ['550 5.7.1'], 'a stranger still may not');
});

test('a blocked sender is refused by network, address or the From field, and a user may allow it', async () => {
  const block = (kind: 'ip' | 'address', value: string) => [{ list: 'block', kind, value }] as const;
  assert.deepEqual(await run({ lists: block('ip', '198.51.100.0/24') }, BOB, [ALICE]), ['550 5.7.1']);
  assert.deepEqual(await run({ lists: block('address', BOB) }, BOB, [ALICE]), ['550 5.7.1']);
  assert.deepEqual(await run({ lists: block('address', BOB) }, 'x@other.example', [ALICE]), ['inbound', '550 5.7.1']);
  const lists = [
    ...block('address', BOB),
    { list: 'allow', kind: 'ip', value: '198.51.100.7', owner: 'example.com' },
  ] as const;
  assert.deepEqual(await run({ lists }, BOB, [ALICE]), ['inbound', 'accept']);
});

test('the attacker, whom a user blocks, writes to an alias of that user; a list of several goes by none of theirs', async () => {
  const lists = [{ list: 'block', kind: 'address', value: BOB, owner: 'x@example.com' }] as const;
  assert.deepEqual(await run({ lists }, BOB, [ALICE]), ['550 5.7.1']);
  assert.deepEqual(await run({ lists }, BOB, ['al@example.com']), ['550 5.7.1']);
  assert.deepEqual(await run({ lists }, BOB, ['team@example.com']), ['inbound', 'accept']);
});

test('whoever writes an allow-listed address without proof is not spared, by the session or by From', async () => {
  const lists = [{ list: 'allow', kind: 'address', value: BOB }] as const;
  const forged = await transact(screening({ lists }), BOB, [ALICE]);
  assert.equal(JSON.stringify(forged.message?.evidence['recipients']).includes('allowListed'), false);
  const trusting = { lists, settings: { 'lists.provenAddresses': false } };
  const spared = await transact(screening(trusting), BOB, [ALICE]);
  assert.ok(JSON.stringify(spared.message?.evidence['recipients']).includes('allowListed'));
});

test('a domain that is paired with a network is refused from elsewhere, in MAIL and in From', async () => {
  const pairs = [['remote.example', OUTSIDE]] as const;
  const settings = { 'ipShield.exceptLocalRecipients': false };
  assert.deepEqual(await run({ pairs, settings }, BOB, [ALICE]), ['550 5.7.1']);
  assert.deepEqual(await run({ pairs, settings }, 'x@other.example', [ALICE]), ['inbound', '550 5.7.1']);
  assert.deepEqual(await run({ pairs, settings, client: OUTSIDE }, BOB, [ALICE]), ['inbound', 'accept']);
  assert.deepEqual(
    await run({ pairs }, BOB, [ALICE]),
    ['inbound', 'accept'],
    'valid local users are excluded by default',
  );
});

const preset = async (options: ScreenOptions, before = 0) => {
  const world = screening({ ...options, settings: { 'relay.exceptLocalRecipients': true, ...options.settings } });
  for (let i = 0; i < before; i++) await world.session.connect();
  const { message } = await transact(world, ALICE, [ALICE], content(LETTER.replace(BOB, ALICE)));
  const context = JSON.stringify(message?.evidence['recipients']);
  return { spared: context.includes('"listed":["ipShieldPreset"]'), events: world.events };
};

test('a preset spares SPF and DMARC, but not where clients hide behind one address', async () => {
  assert.equal((await preset({ client: '10.1.2.3' })).spared, true);
  const behindGateway = await preset({ client: '172.17.0.1', gateways: ['172.17.0.1'] });
  assert.deepEqual([behindGateway.spared, behindGateway.events.count('screen.nat')], [false, 1]);
  const named = await preset({ client: '127.0.0.1', settings: { 'ipShield.natAddresses': ['127.0.0.1'] } });
  assert.deepEqual([named.spared, named.events.count('screen.nat')], [false, 1]);
  const alone = await preset({ client: '10.1.2.3' }, 60);
  assert.deepEqual([alone.spared, alone.events.count('screen.nat')], [false, 1]);
});

test('presets spare SPF and DMARC and nothing else; an entered pair spares all that name ipShield', async () => {
  const settings = { 'relay.exceptLocalRecipients': true, 'blockList.exempt': ['ipShield'] };
  const client = '10.1.2.3';
  const own = LETTER.replace(BOB, ALICE);
  const options = { client, settings, lists: [{ list: 'block', kind: 'ip', value: client }] } as const;
  assert.deepEqual(await run(options, ALICE, [ALICE], own), ['550 5.7.1']);
  assert.deepEqual(await run({ ...options, pairs: [['example.com', client]] }, ALICE, [ALICE], own), [
    'internal',
    'accept',
  ]);
  const spared = createPolicies(plan(CHECKS), defaults().current()).everybody.checks.flatMap(({ exempt }, index) =>
    exempt.includes('ipShieldPreset') ? [CHECKS[index]?.id] : [],
  );
  assert.deepEqual(spared, ['spf', 'spfRelayed', 'dmarc']);
});

test('an entered pair that covers the gateway of a container opens no relay', async () => {
  const options = {
    client: '172.17.0.1',
    gateways: ['172.17.0.1'],
    pairs: [['example.com', '172.17.0.0/16']],
  } as const;
  assert.deepEqual(await run(options, ALICE, [BOB]), ['550 5.7.1']);
});

test('an address that is perhaps everybody’s is trusted by a pair that names it, and by none around it', async () => {
  const trusted = async (network: string): Promise<string[]> => {
    const world = screening({ client: '10.1.2.3', pairs: [['example.com', network]] });
    for (let i = 0; i < 60; i++) await world.session.connect();
    return outcome(await transact(world, ALICE, [BOB], content(LETTER.replace(BOB, ALICE))));
  };
  assert.deepEqual(await trusted('10.1.2.3'), ['outbound', 'accept']);
  assert.deepEqual(await trusted('10.0.0.0/8'), ['550 5.7.1']);
});

test('a preset that covers MAIL does not vouch for somebody else in From', async () => {
  const world = screening({ client: '10.1.2.3', settings: { 'relay.exceptLocalRecipients': true } });
  const { message } = await transact(world, ALICE, [ALICE]);
  assert.equal(JSON.stringify(message?.evidence['recipients']).includes('"listed"'), false);
});

const fromField = async (options: ScreenOptions, author: string) => {
  const text = `From: ${author}\r\nSubject: x\r\n\r\nbody\r\n`;
  return transact(screening(options), 'x@other.example', [ALICE], content(text));
};
const CROWD = Array.from({ length: 60 }, (_, i) => `a${i}@crowd.example`).join(', ');

test('an attacker whom a list blocks hides in From behind sixty others, or in an odd form', async () => {
  const lists = [{ list: 'block', kind: 'address', value: BOB }] as const;
  for (const author of [
    `${CROWD}, ${BOB}`,
    `${BOB};`,
    `"unclosed <${BOB}>`,
    '=?utf-8?q?bob=40remote.example?=',
    `x (${BOB})`,
  ])
    assert.equal(outcome(await fromField({ lists }, author)).at(-1), '550 5.7.1', author);
});

test('a forger of a shielded domain hides it in From behind sixty others, or in an odd form', async () => {
  const options = {
    pairs: [['remote.example', OUTSIDE]],
    settings: { 'ipShield.exceptLocalRecipients': false },
  } as const;
  for (const author of [`${CROWD}, ${BOB}`, `${BOB}>`, `"unclosed <${BOB}>`])
    assert.equal(outcome(await fromField(options, author)).at(-1), '550 5.7.1', author);
});

test('more mailboxes or more text in an address field than anybody reads is refused', async () => {
  const many = Array.from({ length: 101 }, (_, i) => `a${i}@crowd.example`).join(', ');
  const text = (field: string) =>
    content(`From: ${BOB}\r\n${field}: ${'a '.repeat(9_000)}\r\nSubject: x\r\n\r\nbody\r\n`);
  assert.equal(outcome(await fromField({}, many)).at(-1), '550 5.6.0');
  for (const field of ['Sender', 'Reply-To'])
    assert.equal(outcome(await transact(screening(), BOB, [ALICE], text(field))).at(-1), '550 5.6.0', field);
});
