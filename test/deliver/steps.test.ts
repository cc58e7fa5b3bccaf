/** Every step of a transaction, every way it can go wrong, each way of sending: what becomes of the message. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { DROP, type PeerAnswer, startPeer } from '../support/peer.ts';
import { claimOf, deliveryHarness } from './support/harness.ts';

const WAYS = { 'command by command': [], pipelined: ['PIPELINING'], 'in one write': ['PIPELINING', 'CHUNKING'] };

const FAULTS: Readonly<Record<string, PeerAnswer>> = {
  '4xx': '450 4.2.0 later',
  '5xx': '550 5.7.1 never',
  '421': '421 4.3.2 closing down',
  'connection loss': DROP,
  garbage: 'I am a teapot',
  'a reply out of turn': '354 go ahead',
};

type Fate = 'deferred' | 'failed' | 'next host' | 'delivered';

function fateOf(step: string, fault: string): Fate {
  if (step === 'CONNECT') return 'next host';
  if (step === 'EHLO') return fault === '5xx' ? 'delivered' : 'next host';
  // A host that says nothing at all about the message is no better than one that cannot be reached.
  if (step === 'MAIL' && (fault === 'connection loss' || fault === '421' || fault === 'garbage')) return 'next host';
  return fault === '5xx' ? 'failed' : 'deferred';
}

for (const [way, extensions] of Object.entries(WAYS)) {
  for (const step of ['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'CONTENT']) {
    for (const [fault, answer] of Object.entries(FAULTS)) {
      if (step === 'DATA' && (way === 'in one write' || fault === 'a reply out of turn')) continue;
      const fate = fateOf(step, fault);
      test(`${way}: ${fault} at ${step} leads to ${fate}`, async (t) => {
        const bad = await startPeer(t, { extensions, answer: ({ verb }) => (verb === step ? answer : undefined) });
        const good = await startPeer(t, { extensions });
        const { deliver } = deliveryHarness(t, {
          servers: { 'example.com': [{ port: bad.port }, { port: good.port }], 'alone.example': [{ port: bad.port }] },
        });
        const [result] = await deliver(claimOf());
        const relayed = fate === 'next host' || fate === 'delivered';
        assert.equal(result!.kind, relayed ? 'relayed' : fate);
        assert.equal(good.messages.length, fate === 'next host' ? 1 : 0);
        assert.equal(bad.messages.length, fate === 'delivered' ? 1 : 0);
        assert.match(result!.detail.status, relayed ? /^2/ : fate === 'failed' ? /^5/ : /^4/);
        assert.equal(result!.detail.port, fate === 'next host' ? good.port : bad.port);

        const [alone] = await deliver(claimOf({ destination: 'alone.example' }));
        // With no other host, what the only one says of itself at the door decides.
        const expected = fate !== 'next host' ? result!.kind : fault === '5xx' ? 'failed' : 'deferred';
        assert.equal(alone!.kind, expected);
      });
    }
  }

  test(`${way}: each recipient gets the fate that the peer gave it`, async (t) => {
    const peer = await startPeer(t, {
      extensions,
      answer: ({ line }) =>
        line.includes('<never@') ? '550 5.1.1 unknown' : line.includes('<later@') ? '450 4.2.2 full' : undefined,
    });
    const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
    const results = await deliver(claimOf({ to: ['never@example.com', 'alice@example.com', 'later@example.com'] }));
    assert.deepEqual(
      results.map(({ kind, detail }) => `${kind} ${detail.reply}`),
      ['failed 550 5.1.1 unknown', 'relayed 250 2.0.0 taken', 'deferred 450 4.2.2 full'],
    );
    assert.equal(peer.messages[0]!.rcpt.length, 1);
  });

  test(`${way}: when every recipient is refused, even if DATA is not (RFC 2920 3.1), nothing is delivered and the session serves the next message`, async (t) => {
    const peer = await startPeer(t, {
      extensions,
      answer: ({ line }) => (line.includes('<never@') ? '550 5.1.1 unknown' : undefined),
    });
    const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
    const [first] = await deliver(claimOf({ to: ['never@example.com'] }));
    const [second] = await deliver(claimOf());
    assert.equal(first!.kind, 'failed');
    assert.equal(first!.detail.reply, '550 5.1.1 unknown');
    assert.equal(second!.kind, 'relayed');
    assert.equal(peer.sessions(), 1);
    assert.equal(peer.messages.length, 1);
  });

  test(`${way}: a session is kept for the next message, without RSET`, async (t) => {
    const peer = await startPeer(t, { extensions });
    const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
    for (let i = 0; i < 3; i++) assert.equal((await deliver(claimOf()))[0]!.kind, 'relayed');
    assert.equal(peer.sessions(), 1);
    assert.equal(peer.lines.filter((line) => line === 'RSET').length, 0);
  });

  test(`${way}: a kept session that the peer gave up is replaced at once, and no attempt is lost`, async (t) => {
    const peer = await startPeer(t, {
      extensions,
      answer: ({ verb, session }) =>
        verb === 'MAIL' && session === 1 && peer.messages.length === 1 ? '421 4.4.2 idle too long' : undefined,
    });
    const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
    assert.equal((await deliver(claimOf()))[0]!.kind, 'relayed');
    assert.equal((await deliver(claimOf()))[0]!.kind, 'relayed');
    assert.equal(peer.sessions(), 2);
    assert.equal(peer.messages.length, 2);
  });
}

test('losing the connection after the end of data defers and says that the message may arrive twice', async (t) => {
  const peer = await startPeer(t, { answer: ({ verb }) => (verb === 'CONTENT' ? DROP : undefined) });
  const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
  const [result] = await deliver(claimOf());
  assert.equal(result!.kind, 'deferred');
  assert.match(result!.detail.reply, /may arrive twice/);
  assert.equal(result!.detail.remote, false);
});
