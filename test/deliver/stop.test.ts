/** A try is stopped before the next host has all of the message, or it is too late and its answer counts. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { SILENCE, startPeer } from '../support/peer.ts';
import { claimOf, deliveryHarness } from './support/harness.ts';

const DATA = ['PIPELINING', '8BITMIME', 'SIZE 0'];
const CHUNKING = [...DATA, 'CHUNKING'];
const turn = (): Promise<void> => new Promise((next) => setImmediate(next));

for (const extensions of [['8BITMIME'], DATA]) {
  for (const silent of ['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA']) {
    test(`a try that waits at ${silent} ends there, and the host sees no end of data (${extensions.join(' ')})`, async (t) => {
      let reached = false;
      const peer = await startPeer(t, {
        extensions,
        answer: ({ verb, line }) => {
          if (verb !== silent) return undefined;
          reached = true;
          return line === 'QUIT' ? undefined : SILENCE;
        },
      });
      const { delivery, deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
      const settled = deliver(claimOf({ to: ['a@example.com', 'b@example.com'] }));
      while (!reached) await turn();
      assert.equal(delivery.stop('lease'), true);
      assert.deepEqual(await settled, []);
      assert.equal(delivery.active(), 0);
      assert.equal(peer.contents(), 0);
      assert.equal(delivery.stop('lease'), false, 'it is over');
    });
  }
}

for (const extensions of [['8BITMIME'], DATA, CHUNKING]) {
  test(`after the end of data it is too late, and the answer counts (${extensions.join(' ')})`, async (t) => {
    let late: boolean | undefined;
    const peer = await startPeer(t, {
      extensions,
      answer: ({ verb }) => {
        if (verb === 'CONTENT') late = delivery.stop('lease');
        return undefined;
      },
    });
    const { delivery, deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
    const results = await deliver(claimOf());
    assert.equal(late, false);
    assert.deepEqual(
      results.map(({ kind }) => kind),
      ['relayed'],
    );
    assert.equal(peer.messages.length, 1);
  });
}

test('no transaction follows the one that it was too late for: recipients left over keep waiting', async (t) => {
  const peer = await startPeer(t, {
    extensions: [...DATA, 'LIMITS RCPTMAX=1'],
    answer: ({ verb }) => {
      if (verb === 'CONTENT') delivery.stop('lease');
      return undefined;
    },
  });
  const { delivery, deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
  const claim = claimOf({ to: ['a@example.com', 'b@example.com'] });
  const results = await deliver(claim);
  assert.deepEqual(
    results.map(({ row, kind }) => [row, kind]),
    [[claim.recipients[0]!.row, 'relayed']],
  );
  assert.equal(peer.messages.length, 1);
});

test('a large message is cut in the middle of its content', async (t) => {
  const peer = await startPeer(t, { extensions: DATA });
  const { delivery, deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
  const content = `Subject: large\r\n\r\n${'A line that goes on for a while.\r\n'.repeat(200_000)}`;
  const settled = deliver(claimOf({ content, isStreamed: true }));
  while (!peer.lines.includes('DATA')) await turn();
  // The content follows 354, which the peer gives at once.
  for (let i = 0; i < 3; i++) await turn();
  assert.equal(delivery.stop('lease'), true);
  assert.deepEqual(await settled, []);
  assert.equal(peer.contents(), 0);
});

test('a try that waits for the DNS ends at once', async (t) => {
  const { delivery, deliver } = deliveryHarness(t, { dns: { 'example.com MX': 'unknown' } });
  const settled = deliver(claimOf());
  assert.equal(delivery.stop('lease'), true);
  assert.deepEqual(await settled, []);
});
