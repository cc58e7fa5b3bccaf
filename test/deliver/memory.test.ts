/** What delivery remembers of hosts: dead ones, failed handshakes, false promises; and how many connections it takes. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { TLSSocketOptions } from 'node:tls';
import { selfSigned } from '../../src/world/self-signed.ts';
import { createTlsContexts } from '../../src/world/tls.ts';
import { manualClock } from '../support/clock.ts';
import { type Peer, SILENCE, startPeer } from '../support/peer.ts';
import { claimOf, deliveryHarness } from './support/harness.ts';

const MINUTE = 60_000;
const contexts = createTlsContexts(await selfSigned('peer.example', manualClock()));
const tls: TLSSocketOptions = contexts.server();

function serversOf(...peers: Peer[]) {
  return { servers: { 'example.com': peers.map(({ host, port }) => ({ host, port })) } };
}

test('STARTTLS is used where it is offered, whatever the certificate', async (t) => {
  const peer = await startPeer(t, { tls, extensions: ['PIPELINING'] });
  const { deliver } = deliveryHarness(t, serversOf(peer));
  const [result] = await deliver(claimOf());
  assert.equal(result!.kind, 'relayed');
  assert.match(result!.detail.tls!, /^TLSv1\.3 /);
  assert.equal(peer.messages[0]!.secure, true);
  assert.equal(peer.lines.filter((line) => line.startsWith('EHLO')).length, 2);
});

test('after a failed handshake mail goes in clear by a new connection, for an hour, and it is recorded', async (t) => {
  const peer = await startPeer(t, { tls: 'broken' });
  const { deliver, events, clock } = deliveryHarness(t, serversOf(peer));
  const [first] = await deliver(claimOf());
  assert.equal(first!.kind, 'relayed');
  assert.equal(peer.sessions(), 2);
  assert.equal(peer.messages[0]!.secure, false);
  assert.equal(events.last('delivery.tls.fallback')?.minutes, 60);
  assert.equal(events.last('delivery.connection.failed')?.kind, 'tls');

  const attempts = () => peer.lines.filter((line) => line === 'STARTTLS').length;
  await clock.advance(59 * MINUTE);
  await deliver(claimOf());
  assert.equal(attempts(), 1);
  await clock.advance(2 * MINUTE);
  await deliver(claimOf());
  assert.equal(attempts(), 2);
});

test('a host that is busy (421) at STARTTLS is not gone down to clear text with, now or later', async (t) => {
  const busy = await startPeer(t, {
    tls,
    answer: ({ verb, session }) => (verb === 'STARTTLS' && session < 3 ? '421 4.7.0 too busy' : undefined),
  });
  const next = await startPeer(t);
  const { deliver, events } = deliveryHarness(t, {
    servers: { ...serversOf(busy, next).servers, 'alone.example': [{ host: busy.host, port: busy.port }] },
  });
  assert.equal((await deliver(claimOf()))[0]!.detail.port, next.port);
  const [alone] = await deliver(claimOf({ destination: 'alone.example' }));
  assert.deepEqual([alone!.kind, alone!.detail.reply], ['deferred', '421 4.7.0 too busy']);
  assert.deepEqual([busy.sessions(), busy.messages.length, events.count('delivery.tls.fallback')], [2, 0, 0]);
  const [later] = await deliver(claimOf({ destination: 'alone.example' }));
  assert.equal(later!.kind, 'relayed');
  assert.equal(busy.messages[0]!.secure, true);
});

test('where a policy demands TLS a failed handshake never leads to clear text', async (t) => {
  const peer = await startPeer(t, { tls: 'broken' });
  const plain = await startPeer(t);
  const { deliver, events } = deliveryHarness(t, { ...serversOf(peer, plain), tlsPolicy: () => 'required' });
  for (let i = 0; i < 2; i++) {
    const [result] = await deliver(claimOf());
    assert.equal(result!.kind, 'deferred');
    assert.equal(result!.detail.status, '4.7.5');
  }
  assert.deepEqual([peer.messages.length, plain.messages.length], [0, 0]);
  assert.equal(events.count('delivery.tls.fallback'), 0);
});

test('replies slipped in behind STARTTLS are not taken for answers given inside TLS', async (t) => {
  const peer = await startPeer(t, {
    tls,
    answer: ({ verb, secure }) =>
      verb === 'STARTTLS' && !secure ? '220 go ahead\r\n250-evil.example\r\n250 CHUNKING' : undefined,
  });
  const { deliver, events } = deliveryHarness(t, { ...serversOf(peer), tlsPolicy: () => 'required' });
  assert.equal((await deliver(claimOf()))[0]!.kind, 'deferred');
  assert.match(events.last('delivery.connection.failed')!.reason, /spoke in clear/);
  assert.equal(peer.messages.length, 0);
});

test('a host that could not be connected to is left alone for five minutes, which counts as no attempt', async (t) => {
  const { deliver, events, clock, failedDestinations } = deliveryHarness(t, {
    servers: { 'example.com': [{ host: '127.0.0.99', port: 1 }] },
  });
  const [first] = await deliver(claimOf());
  assert.equal(first!.kind === 'deferred' && first!.countsAsAttempt, true);
  assert.equal(first!.detail.status, '4.4.1');
  const [second] = await deliver(claimOf());
  assert.equal(second!.kind === 'deferred' && second!.countsAsAttempt, false);
  assert.equal(second!.kind === 'deferred' && second!.notBeforeMs, clock.now() + 5 * MINUTE);
  assert.match(second!.detail.reply, /refused/);
  assert.equal(events.count('delivery.connection.failed'), 1);
  assert.deepEqual(failedDestinations, ['example.com']);
  await clock.advance(5 * MINUTE);
  await deliver(claimOf());
  assert.equal(events.count('delivery.connection.failed'), 2);
});

test('an operator who wants mail tried now has such a host asked again at once', async (t) => {
  const { deliver, delivery, events } = deliveryHarness(t, {
    servers: { 'example.com': [{ host: '127.0.0.99', port: 1 }] },
  });
  await deliver(claimOf());
  delivery.forgetFailures();
  const [second] = await deliver(claimOf());
  assert.equal(second!.kind === 'deferred' && second!.countsAsAttempt, true);
  assert.equal(events.count('delivery.connection.failed'), 2);
});

test('mail that an operator wanted tried now was put off by the DNS’s last failure: it is asked anew, and so is the route', async (t) => {
  const peer = await startPeer(t);
  const { deliver, delivery, world } = deliveryHarness(t, {
    exchangerPort: peer.port,
    dns: { 'remote.example MX': 'unknown' },
  });
  const claim = () => claimOf({ destination: 'remote.example', to: ['carol@remote.example'] });
  assert.match((await deliver(claim()))[0]!.detail.reply, /DNS did not answer/);
  Object.assign(world.dns, {
    'remote.example MX': [{ preference: 10, exchange: 'mx.remote.example' }],
    'mx.remote.example A': [peer.host],
  });
  assert.equal((await deliver(claim()))[0]!.kind, 'deferred', 'what was heard a moment ago still counts');
  delivery.forgetFailures();
  assert.equal((await deliver(claim()))[0]!.kind, 'relayed');
});

test('a peer that loses pipelined commands is given time, then asked one by one', async (t) => {
  const peer = await startPeer(t, { extensions: ['PIPELINING'], losesPipelined: true });
  const { deliver, clock, events } = deliveryHarness(t, serversOf(peer));
  const first = deliver(claimOf());
  while (!peer.lines.some((line) => line.startsWith('MAIL'))) await new Promise((next) => setImmediate(next));
  await clock.advance(6 * MINUTE);
  assert.equal((await first)[0]!.kind, 'deferred');
  assert.equal(events.last('delivery.peer.distrusted')?.extension, 'pipelining');
  const [second] = await deliver(claimOf());
  assert.equal(second!.kind, 'relayed');
});

test('a peer that offers CHUNKING and does not know BDAT gets DATA the next time, and nothing bounces', async (t) => {
  const peer = await startPeer(t, {
    extensions: ['PIPELINING', 'CHUNKING'],
    answer: ({ verb }) => (verb === 'CONTENT' && peer.sessions() === 1 ? '502 5.5.2 unknown command' : undefined),
  });
  const { deliver, events } = deliveryHarness(t, serversOf(peer));
  assert.equal((await deliver(claimOf()))[0]!.kind, 'deferred');
  assert.equal(events.last('delivery.peer.distrusted')?.extension, 'chunking');
  assert.equal((await deliver(claimOf()))[0]!.kind, 'relayed');
  assert.equal(peer.messages[0]!.by, 'DATA');
});

for (const verb of ['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'CONTENT']) {
  test(`a peer that falls silent at ${verb} holds a message only until its time is up`, async (t) => {
    const peer = await startPeer(t, { answer: (turn) => (turn.verb === verb ? SILENCE : undefined) });
    const { deliver, clock } = deliveryHarness(t, serversOf(peer));
    const delivery = deliver(claimOf());
    const reached = () =>
      verb === 'CONNECT'
        ? peer.sessions() > 0
        : verb === 'CONTENT'
          ? peer.contents() > 0
          : peer.lines.some((line) => line.startsWith(verb));
    while (!reached()) await new Promise((next) => setImmediate(next));
    await clock.advance(verb === 'CONTENT' ? 11 * MINUTE : 6 * MINUTE);
    const [result] = await delivery;
    assert.equal(result!.kind, 'deferred');
    assert.match(result!.detail.reply, /did not answer in time/);
  });
}

test('a reply without end is cut off', async (t) => {
  const peer = await startPeer(t, {
    answer: ({ verb }) => (verb === 'MAIL' ? `250-${'x'.repeat(100)}\r\n`.repeat(10_000) : undefined),
  });
  const { deliver } = deliveryHarness(t, serversOf(peer));
  const [result] = await deliver(claimOf());
  assert.equal(result!.kind, 'deferred');
  assert.match(result!.detail.reply, /too many lines/);
});

test('a kept session gets QUIT when no message comes for it', async (t) => {
  const peer = await startPeer(t);
  const { deliver, clock } = deliveryHarness(t, serversOf(peer));
  await deliver(claimOf());
  await clock.advance(10_000);
  while (peer.open() > 0) await new Promise((next) => setImmediate(next));
  assert.equal(peer.lines.at(-1), 'QUIT');
});

test('a destination has room up to the setting; the queue hears what its slow start goes by', async (t) => {
  const peer = await startPeer(t);
  const { delivery, deliver, world, succeededDestinations, failedDestinations } = deliveryHarness(t, {
    servers: { 'example.com': [{ port: peer.port }], 'dead.example': [{ host: '127.0.0.99', port: 1 }] },
    settings: { 'delivery.concurrencyPerDestination': 7 },
  });
  assert.equal(world.servers['example.com']!.length, 1);
  assert.equal(delivery.room('example.com'), 7);
  const under = deliver(claimOf());
  assert.equal(delivery.room('example.com'), 6);
  await under;
  assert.equal(delivery.room('example.com'), 7);
  await deliver(claimOf({ destination: 'dead.example' }));
  assert.deepEqual([succeededDestinations, failedDestinations], [['example.com'], ['dead.example']]);
});

test('hosts that do not answer take no room from those that do', async (t) => {
  const silent = await startPeer(t, { answer: () => SILENCE });
  const { delivery, deliver } = deliveryHarness(t, {
    servers: { 'silent.example': [{ port: silent.port }] },
    settings: { 'delivery.concurrency': 3, 'delivery.concurrencyPerDestination': 5 },
  });
  for (let i = 0; i < 5; i++) void deliver(claimOf({ destination: 'silent.example' }));
  while (silent.sessions() < 5) await new Promise((next) => setImmediate(next));
  assert.equal(delivery.room('silent.example'), 0);
  assert.equal(delivery.room('example.com'), 3);
});

test('ten thousand claims for a dead host end one after another, however they are handed out', async (t) => {
  let left = 10_000;
  const ended: Promise<unknown>[] = [];
  const takeMore = (): void => {
    while (left > 0 && delivery.room('dead.example') > 0) {
      left--;
      ended.push(deliver(claimOf({ destination: 'dead.example' })));
    }
  };
  const { delivery, deliver } = deliveryHarness(t, {
    servers: { 'dead.example': [{ host: '127.0.0.99', port: 1 }] },
    onWake: takeMore,
  });
  takeMore();
  while (left > 0) await new Promise((next) => setImmediate(next));
  await Promise.all(ended);
  assert.equal(delivery.active(), 0);
});

test('closing leaves no connection open, neither waiting nor in use', async (t) => {
  const peer = await startPeer(t, {
    answer: ({ verb, session }) => (verb === 'MAIL' && session > 1 ? SILENCE : undefined),
  });
  const { delivery, deliver, clock } = deliveryHarness(t, serversOf(peer));
  await deliver(claimOf());
  void deliver(claimOf());
  void deliver(claimOf());
  while (peer.sessions() < 2 || peer.lines.filter((said) => said.startsWith('MAIL')).length < 3)
    await new Promise((next) => setImmediate(next));
  delivery.close();
  while (peer.open() > 0) await new Promise((next) => setImmediate(next));
  assert.equal(delivery.room('example.com'), 0);
  assert.equal(clock.pending(), 0);
});
