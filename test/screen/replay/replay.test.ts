import assert from 'node:assert/strict';
import test from 'node:test';
import type { Evidence } from '../../../src/model/finding.ts';
import type { MessageEvidence } from '../../../src/screen/engine/evidence.ts';
import { createReplay } from '../../../src/screen/replay/replay.ts';
import { content, LETTER, type ScreenOptions, type SettingTable, screening, settings, transact } from '../world.ts';

/** As the journal keeps it. */
const stored = (evidence: Readonly<Record<string, Evidence>> | undefined): MessageEvidence =>
  JSON.parse(JSON.stringify(evidence ?? {}));
const under = (table: SettingTable = {}) => createReplay(settings(table).current());
const LOCAL = { 'relay.onlyDomainServers': false, 'ipShield.presets': [] };

/** What was seen of a transaction that may have ended at RCPT. */
async function seen(options: ScreenOptions, from: string, to: readonly string[], text = LETTER) {
  const world = screening(options);
  const { message } = await transact(world, from, to, content(text));
  return stored(message?.evidence ?? world.session.observed?.());
}

test('stored evidence, judged again with the same settings, comes to the same dispositions', async () => {
  const { message } = await transact(screening(), 'bob@remote.example', ['alice@example.com', 'team@example.com']);
  assert.ok(message?.kind === 'commit');
  const again = under()(stored(message.evidence));
  assert.deepEqual(
    again.recipients.map(({ disposition }) => disposition),
    message.dispositions.map(({ kind }) => kind),
  );
});

test('a changed setting shows what it would have done to past mail', async () => {
  const evidence = await seen(
    {},
    'bob@remote.example',
    ['alice@example.com'],
    `${'Received: from a by b\r\n'.repeat(20)}${LETTER}`,
  );
  const [refused] = under({ 'smtp.maxHops': 10 })(evidence).recipients;
  assert.equal(refused?.disposition, 'refuse');
  assert.equal(refused?.deciding?.reply?.enhanced, '5.4.6');
  assert.equal(under({ 'smtp.maxHops': 20 })(evidence).recipients[0]?.disposition, 'accept');
});

test('a domain’s setting changes the fate of its own recipients only', async () => {
  const open = { 'headerSanity.action': 'accept', 'dmarc.unclearAuthor': 'accept' };
  const to = ['alice@example.com', 'postmaster'];
  const evidence = await seen({ settings: open }, 'bob@remote.example', to, `From: eve@remote.example\r\n${LETTER}`);
  const again = under({ ...open, 'example.com/headerSanity.action': 'quarantine' })(evidence);
  assert.deepEqual(
    again.recipients.map(({ disposition }) => disposition),
    ['hold', 'accept'],
  );
});

test('mail as a local domain, judged again under required authentication, is refused as the live node refuses it', async () => {
  const evidence = await seen({ settings: LOCAL }, 'alice@example.com', ['alice@example.com']);
  const [again] = under({ ...LOCAL, 'authenticationRequired.enabled': true })(evidence).recipients;
  assert.equal(again?.disposition, 'refuse');
  assert.equal(again?.deciding?.reply?.code, 530);
});

test('who was refused at RCPT, and would not be, is known as far as RCPT', async () => {
  const table = { ...LOCAL, 'authenticationRequired.enabled': true };
  const evidence = await seen({ settings: table }, 'alice@example.com', ['alice@example.com']);
  assert.equal(under(table)(evidence).recipients[0]?.disposition, 'refuse');
  // Whom the checks that ask nobody refuse, SPF was not asked about.
  assert.equal(under(LOCAL)(evidence).recipients[0]?.unknown, 'not-observed');
  const withoutDns = { ...LOCAL, 'spf.enabled': false, 'reversePtr.enabled': false, 'reverseHelo.enabled': false };
  const [again] = under({ ...withoutDns, 'reverseMail.enabled': false })(evidence).recipients;
  assert.equal(again?.disposition, 'accept');
  assert.equal(again?.atLeast, true);
});

test('evidence of an older version, and of a check that was not made, is unknown', async () => {
  const who = {
    address: 'a@example.com',
    direction: 'inbound',
    sender: 'stranger',
    policyDomain: 'example.com',
    role: false,
  };
  assert.equal(under()({ recipients: { 'a@example.com': { who } } }).unknown, 'version');
  const evidence = await seen({ settings: { 'headerSanity.enabled': false } }, 'bob@remote.example', [
    'alice@example.com',
  ]);
  const { dkim: _, ...without } = evidence;
  assert.equal(under()(without).recipients[0]?.unknown, 'not-observed');
});

test('a setting of looking makes unknown what it would have looked at, and nothing else', async () => {
  const evidence = await seen({}, 'bob@remote.example', ['alice@example.com']);
  const reply = (table: SettingTable) => under(table)(evidence).recipients[0]?.unknown;
  assert.equal(reply({ 'authentication.trustedRelays': ['198.51.100.7'] }), 'looking');
  assert.equal(reply({ 'authentication.trustedRelays': ['203.0.113.1'] }), undefined);
  assert.equal(reply({ 'ipShield.natAddresses': ['198.51.100.7'] }), 'looking');
  assert.equal(reply({ 'ipShield.natAddresses': ['203.0.113.1'] }), undefined);
  assert.equal(reply({ 'relay.throughDomainServers': true }), 'looking');
  assert.equal(reply({ 'dkim.minimumKeyBits': 2048 }), undefined);
});
