/** What the log is told of the hosts that a try went over before the one that it ended with. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { AttemptResult } from '../../src/queue/contract.ts';
import { DROP, type Peer, startPeer } from '../support/peer.ts';
import { claimOf, deliveryHarness } from './support/harness.ts';

const MINUTE = 60_000;

function serversOf(...peers: Pick<Peer, 'host' | 'port'>[]) {
  return { servers: { 'example.com': peers.map(({ host, port }) => ({ host, port })) } };
}

const refusing = (t: test.TestContext, says: string | typeof DROP, verb = 'CONNECT') =>
  startPeer(t, { answer: (turn) => (turn.verb === verb ? says : undefined) });

const repliesOf = ({ detail }: AttemptResult) => detail.earlier?.map(({ reply }) => reply);

test('a chain of hosts is told in order, each with its own words', async (t) => {
  const chain = [
    await refusing(t, '554 5.3.2 go away'),
    await refusing(t, '450 4.3.2 busy'),
    await refusing(t, DROP, 'EHLO'),
    await refusing(t, '421 4.3.2 later', 'MAIL'),
    await startPeer(t),
  ];
  const { deliver } = deliveryHarness(t, serversOf(...chain));
  const [result] = await deliver(claimOf());
  assert.deepEqual([result!.kind, result!.detail.port], ['relayed', chain[4]!.port]);
  const { earlier } = result!.detail;
  assert.ok(earlier!.every(({ host, address }) => host === '127.0.0.1' && address === '127.0.0.1'));
  const [first, second, third, fourth] = repliesOf(result!)!;
  assert.deepEqual([first, second, fourth], ['554 5.3.2 go away', '450 4.3.2 busy', '421 4.3.2 later']);
  assert.match(third!, /closed/);
});

test('where no host takes the mail, the last one is the result and the others come before it', async (t) => {
  const { deliver } = deliveryHarness(t, serversOf(await refusing(t, '554 no'), await refusing(t, '450 busy')));
  const [result] = await deliver(claimOf());
  assert.deepEqual([result!.kind, result!.detail.reply, repliesOf(result!)], ['deferred', '450 busy', ['554 no']]);
});

test('a host that is left alone since it failed is told of by the mail that passes it', async (t) => {
  const backup = await startPeer(t);
  const { deliver } = deliveryHarness(t, serversOf({ host: '127.0.0.99', port: 1 }, backup));
  assert.match(repliesOf((await deliver(claimOf()))[0]!)![0]!, /refused/);
  // The kept session asks nobody first.
  const [kept] = await deliver(claimOf());
  assert.equal(kept!.detail.earlier, undefined);
  backup.cut();
  while (backup.open() > 0) await new Promise((next) => setImmediate(next));
  const [later] = await deliver(claimOf());
  assert.match(repliesOf(later!)!.join(), /^not tried now, as a try a short while ago failed: .*refused$/);
});

test('mail in clear after a failed handshake tells why, at once and for the hour', async (t) => {
  const peer = await startPeer(t, { tls: 'broken' });
  const { deliver, clock } = deliveryHarness(t, serversOf(peer));
  const [first] = await deliver(claimOf());
  assert.equal(first!.detail.tls, undefined);
  assert.match(repliesOf(first!)!.join(), /^TLS failed: /);
  const [kept] = await deliver(claimOf());
  assert.match(repliesOf(kept!)!.join(), /^in clear, as TLS failed a while ago: /);
  await clock.advance(30 * MINUTE);
  const [anew] = await deliver(claimOf());
  assert.match(repliesOf(anew!)!.join(), /^in clear, as TLS failed a while ago: /);
  assert.equal(peer.sessions(), 3);
});

test('mail that the first host takes carries no more than before', async (t) => {
  const { deliver } = deliveryHarness(t, serversOf(await startPeer(t)));
  assert.ok(!('earlier' in (await deliver(claimOf()))[0]!.detail));
});
