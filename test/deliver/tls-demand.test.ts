/** After a failed handshake we come in clear; who refuses that has said nothing about the message. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { TLSSocketOptions } from 'node:tls';
import { asksForTls } from '../../src/deliver/tls-demand.ts';
import { selfSigned } from '../../src/world/self-signed.ts';
import { createTlsContexts } from '../../src/world/tls.ts';
import { manualClock } from '../support/clock.ts';
import { DROP, startPeer } from '../support/peer.ts';
import { claimOf, deliveryHarness } from './support/harness.ts';

const tls: TLSSocketOptions = createTlsContexts(await selfSigned('peer.example', manualClock())).server();

/** Hangs up on the first handshake; in clear it answers `verb` with `refusal`. */
async function strictPeer(t: test.TestContext, verb: string, refusal: string) {
  const peer = await startPeer(t, {
    tls,
    extensions: ['PIPELINING'],
    answer: (turn) => {
      if (turn.verb === 'STARTTLS' && turn.session === 1) return DROP;
      const isRefused = turn.verb === verb || (verb === 'EHLO' && turn.verb === 'HELO');
      return isRefused && !turn.secure && turn.session === 2 ? refusal : undefined;
    },
  });
  const { host, port } = peer;
  const dns = { 'remote.example A': [host] };
  const harness = deliveryHarness(t, { dns, exchangerPort: port, servers: { 'example.com': [{ host, port }] } });
  return { ...harness, peer };
}

const REFUSALS: readonly (readonly [verb: string, reply: string])[] = [
  ['MAIL', '530 5.7.0 Must issue a STARTTLS command first'],
  ['MAIL', '523 5.7.10 encryption needed'],
  ['MAIL', '538 5.7.11 encryption needed for that mechanism'],
  ['MAIL', '451 5.7.3 STARTTLS is required to send mail'],
  ['MAIL', '454 4.7.0 TLS first'],
  ['RCPT', '550 5.7.1 Session encryption is required'],
  ['DATA', '554 TLS required'],
  ['EHLO', '530 5.7.0 Must issue a STARTTLS command first'],
];

for (const [verb, refusal] of REFUSALS) {
  for (const destination of ['remote.example', 'example.com']) {
    test(`"${refusal}" to ${verb} after a failed handshake defers, and the next try to ${destination} is with TLS`, async (t) => {
      const { deliver, events, peer } = await strictPeer(t, verb, refusal);
      const [first] = await deliver(claimOf({ destination }));
      assert.equal(first!.kind, 'deferred');
      assert.match(first!.detail.status, /^4/);
      assert.ok(first!.detail.reply.includes(refusal.replace(/^\d+ ([\d.]+ )?/, '')));
      assert.equal(events.count('delivery.tls.demanded'), 1);
      assert.equal(events.count('delivery.sign-in.demanded'), 0);
      const [second] = await deliver(claimOf({ destination }));
      assert.equal(second!.kind, 'relayed');
      assert.deepEqual([peer.messages.length, peer.messages[0]!.secure, peer.sessions()], [1, true, 3]);
    });
  }
}

test('one TLS hiccup of a host that requires TLS had its mail returned for an hour', async (t) => {
  const peer = await startPeer(t, {
    tls,
    answer: ({ verb, secure, session }) => {
      if (verb === 'STARTTLS' && session === 1) return DROP;
      return verb === 'MAIL' && !secure ? '530 5.7.0 Must issue a STARTTLS command first' : undefined;
    },
  });
  const { deliver } = deliveryHarness(t, { dns: { 'remote.example A': [peer.host] }, exchangerPort: peer.port });
  const to = Array.from({ length: 150 }, (_, i) => `user${i}@remote.example`);
  const results = await deliver(claimOf({ destination: 'remote.example', to }));
  assert.equal(results.length, 150);
  assert.ok(results.every(({ kind }) => kind === 'deferred'));
  for (let i = 0; i < 2; i++)
    assert.equal((await deliver(claimOf({ destination: 'remote.example' })))[0]!.kind, 'relayed');
  assert.ok(peer.messages.every(({ secure }) => secure));
});

test('while TLS stays broken at a host that requires it, mail waits, and each try asks for TLS once', async (t) => {
  const peer = await startPeer(t, {
    tls: 'broken',
    answer: ({ verb }) => (verb === 'MAIL' ? '530 5.7.0 Must issue a STARTTLS command first' : undefined),
  });
  const { deliver } = deliveryHarness(t, { dns: { 'remote.example A': [peer.host] }, exchangerPort: peer.port });
  for (let i = 1; i <= 3; i++) {
    assert.equal((await deliver(claimOf({ destination: 'remote.example' })))[0]!.kind, 'deferred');
    assert.deepEqual([peer.sessions(), peer.lines.filter((said) => said === 'STARTTLS').length], [2 * i, i]);
  }
});

test('who asks for TLS and never offered it, or refuses for another reason, has refused the message', async (t) => {
  for (const [offered, refusal] of [
    [undefined, '530 5.7.0 Must issue a STARTTLS command first'],
    ['broken', '550 5.7.1 rejected by policy'],
    ['broken', '550 5.1.1 nobody called tls here'],
  ] as const) {
    const peer = await startPeer(t, { tls: offered, answer: ({ verb }) => (verb === 'MAIL' ? refusal : undefined) });
    const { deliver } = deliveryHarness(t, { dns: { 'remote.example A': [peer.host] }, exchangerPort: peer.port });
    assert.equal((await deliver(claimOf({ destination: 'remote.example' })))[0]!.kind, 'failed');
  }
});

test('replies that ask for TLS are told by code, else by a word behind a status of policy', () => {
  const asks = (code: number, enhanced: string | undefined, text: string) => asksForTls({ code, enhanced, text });
  assert.ok(asks(530, undefined, 'no'));
  assert.ok(asks(550, '5.7.1', 'Encrypted session needed'));
  assert.ok(asks(550, undefined, 'use STARTTLS'));
  assert.ok(!asks(550, '5.7.1', 'the attls list'));
  assert.ok(!asks(550, '5.2.2', 'mailbox tls is full'));
});
