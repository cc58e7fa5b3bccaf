/** Delivery to servers that ask for a sign-in: who hears the secret, what happens when it fails, what is told of it. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { serverLoginMigrations } from '../../src/directory/servers/login-schema.ts';
import { type LoginDraft, openServerLogins } from '../../src/directory/servers/logins.ts';
import { formatServerFinal, formatServerFirst, makeVerifier, parseClientFinal } from '../../src/protocol/sasl/scram.ts';
import { systemClock } from '../../src/world/clock.ts';
import { systemRandom } from '../../src/world/random.ts';
import { selfSigned } from '../../src/world/self-signed.ts';
import { keyPin } from '../../src/world/server-proof.ts';
import { createTlsContexts } from '../../src/world/tls.ts';
import { memoryDatabase } from '../support/database.ts';
import { DROP, type Peer, type PeerAnswer, type PeerOptions, SILENCE, startPeer, type Turn } from '../support/peer.ts';
import { OPEN_SECRETS } from '../support/secrets.ts';
import { claimOf, deliveryHarness, type HarnessOptions } from './support/harness.ts';

const SECRET = 'correct horse battery';
const MINUTE = 60_000;
const own = await selfSigned('127.0.0.1', systemClock);
const other = await selfSigned('127.0.0.1', systemClock);
const tls = createTlsContexts(own).server();
const pinOf = ({ certificate }: typeof own) => keyPin(new X509Certificate(certificate));
const PIN = pinOf(own);

/** A peer that offers AUTH inside TLS, and delivery with credentials for it. */
async function world(
  t: TestContext,
  peerOptions: PeerOptions = {},
  draft: Partial<LoginDraft> = {},
  more: HarnessOptions = {},
) {
  const peer = await startPeer(t, { tls, extensions: ['AUTH PLAIN'], ...peerOptions });
  const logins = await loginsOf(t);
  await set(logins, peer, draft);
  const servers = { 'example.com': [{ host: peer.host, port: peer.port }] };
  const harness = deliveryHarness(t, { servers, logins, ...more });
  const once = async () => (await harness.deliver(claimOf()))[0]!;
  return { peer, logins, ...harness, once };
}

async function loginsOf(t: TestContext) {
  const database = await memoryDatabase(t, ...serverLoginMigrations);
  const logins = await openServerLogins(database, { secrets: OPEN_SECRETS, clock: systemClock, random: systemRandom });
  return { ...logins, write: database.write };
}

async function set(
  logins: Awaited<ReturnType<typeof loginsOf>>,
  { host, port }: { host: string; port: number },
  draft: Partial<LoginDraft> = {},
) {
  const login = { user: 'gateway', secret: SECRET, authority: own.certificate, ...draft };
  await logins.write(logins.set({ host, port }, login).statements);
}

const says = (verb: string, reply: PeerAnswer) => (turn: Turn) => (turn.verb === verb ? reply : undefined);
const welcome = says('AUTH', '235 2.7.0 welcome');
const b64 = (text: string) => Buffer.from(text).toString('base64');

/** Nothing that was said, however encoded, holds the secret. */
function heardNothing(peer: Peer): void {
  for (const line of peer.lines) {
    assert.ok(!line.startsWith('AUTH'), line);
    assert.ok(!Buffer.from(line, 'base64').includes(SECRET), line);
  }
  assert.equal(peer.messages.length, 0);
}

/** A SCRAM server; `lies` may put something else in place of a step. */
function scramServer(password: string, lies: { first?: string; final?: string } = {}) {
  const verifier = makeVerifier(password, Buffer.from('0123456789abcdef'), 4096);
  let bare = '';
  let serverFirst = '';
  let step = 0;
  return ({ verb, line }: Turn): PeerAnswer => {
    if (verb === 'AUTH') {
      step = 1;
      bare = Buffer.from(line.split(' ')[2]!, 'base64')
        .toString()
        .replace(/^[^,]*,,/, '');
      serverFirst = formatServerFirst(`${/r=(.*)$/.exec(bare)![1]}server`, verifier.salt, verifier.iterations);
      return lies.first ?? `334 ${b64(serverFirst)}`;
    }
    if (step === 1) {
      step = 2;
      const final = parseClientFinal(Buffer.from(line, 'base64').toString())!;
      const exchange = { clientFirstBare: bare, serverFirst, clientFinalWithoutProof: final.withoutProof };
      return lies.final ?? `334 ${b64(formatServerFinal(verifier, exchange))}`;
    }
    if (step !== 2) return undefined;
    step = 3;
    return '235 2.7.0 welcome';
  };
}

test('mail goes to a server after a sign-in inside verified TLS, and the log tells by which mechanism', async (t) => {
  const { peer, once } = await world(t, { answer: welcome });
  const result = await once();
  assert.equal(result.kind, 'relayed');
  assert.match(result.detail.tls!, /^TLSv1\.3 .*, signed in by PLAIN$/);
  assert.ok(peer.lines.includes(`AUTH PLAIN ${b64(`\0gateway\0${SECRET}`)}`));
});

test('the strongest mechanism that is offered is used, and SCRAM never says the password', async (t) => {
  const answer = scramServer(SECRET);
  const { peer, once } = await world(t, { extensions: ['AUTH LOGIN PLAIN SCRAM-SHA-256'], answer });
  const result = await once();
  assert.equal(result.kind, 'relayed', result.detail.reply);
  assert.match(result.detail.tls!, /signed in by SCRAM-SHA-256$/);
  assert.ok(!peer.lines.some((line) => Buffer.from(line.split(' ').at(-1)!, 'base64').includes(SECRET)));
});

test('LOGIN and XOAUTH2 sign in too, a long token after an empty challenge', async (t) => {
  const questions = ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6', '235 2.7.0 welcome'];
  const byLogin = await world(t, {
    extensions: ['AUTH LOGIN'],
    answer: ({ secure, verb }) =>
      secure && !/^(EHLO|MAIL|RCPT|DATA|CONTENT|QUIT)$/.test(verb) ? questions.shift() : undefined,
  });
  assert.equal((await byLogin.once()).kind, 'relayed');
  assert.deepEqual(byLogin.peer.lines.slice(3, 6), ['AUTH LOGIN', b64('gateway'), b64(SECRET)]);

  const token = 'x'.repeat(2000);
  const said = b64(`user=gateway\x01auth=Bearer ${token}\x01\x01`);
  const byToken = await world(
    t,
    {
      extensions: ['AUTH XOAUTH2'],
      answer: ({ verb, line }) => (verb === 'AUTH' ? '334 ' : line === said ? '235 2.7.0 welcome' : undefined),
    },
    { kind: 'token', secret: token },
  );
  assert.equal((await byToken.once()).kind, 'relayed');
  assert.ok(byToken.peer.lines.includes('AUTH XOAUTH2'));
});

test('TLS from the first octet works like STARTTLS', async (t) => {
  const { peer, once } = await world(t, { tls: undefined, implicitTls: tls, answer: welcome }, { implicitTls: true });
  assert.equal((await once()).kind, 'relayed');
  assert.ok(!peer.lines.includes('STARTTLS'));
});

test('a pinned key is enough, and where there is one no other certificate is', async (t) => {
  const pinned = await world(t, { answer: welcome }, { authority: '', pins: [pinOf(other), `sha256/${PIN}`] });
  assert.equal((await pinned.once()).kind, 'relayed');
  const wrong = await world(t, { answer: welcome }, { pins: [pinOf(other)] });
  assert.equal((await wrong.once()).kind, 'deferred');
  heardNothing(wrong.peer);
  assert.ok(wrong.events.last('delivery.sign-in.failed')!.reason.includes(`sha256/${PIN}`));
});

test('a server with another certificate gets no password', async (t) => {
  for (const draft of [{ authority: '' }, { authority: other.certificate }]) {
    const { peer, once, events } = await world(t, { answer: welcome }, draft);
    const result = await once();
    assert.equal(result.kind, 'deferred');
    assert.match(result.detail.reply, /certificate cannot be verified for 127\.0\.0\.1/);
    assert.equal(events.last('delivery.sign-in.failed')?.problem, 'insecure');
    heardNothing(peer);
  }
});

test('a server with a certificate for another name gets no password, whoever signed it', async (t) => {
  const elsewhere = await selfSigned('mail.elsewhere.example', systemClock);
  const peerTls = createTlsContexts(elsewhere).server();
  const peer = await startPeer(t, { tls: peerTls, extensions: ['AUTH PLAIN'], answer: welcome });
  const logins = await loginsOf(t);
  const place = { host: 'mail.example.com', port: peer.port };
  await set(logins, place, { authority: own.certificate });
  const hostsFile = { 'mail.example.com': ['127.0.0.1'] };
  const { deliver } = deliveryHarness(t, { servers: { 'example.com': [place] }, hostsFile, logins });
  assert.equal((await deliver(claimOf()))[0]!.kind, 'deferred');
  heardNothing(peer);
});

test('a server, or somebody before it, that strips STARTTLS gets no password and no mail', async (t) => {
  const { peer, once, events } = await world(t, { tls: undefined, answer: welcome });
  const result = await once();
  assert.deepEqual([result.kind, result.detail.status], ['deferred', '4.7.5']);
  assert.equal(events.last('delivery.sign-in.failed')?.problem, 'insecure');
  heardNothing(peer);
});

test('somebody who breaks the handshake gains no clear text', async (t) => {
  const { peer, once, events, clock } = await world(t, { tls: 'broken', answer: welcome });
  for (let i = 0; i < 3; i++) {
    assert.equal((await once()).kind, 'deferred');
    await clock.advance(6 * MINUTE);
  }
  assert.equal(events.count('delivery.tls.fallback'), 0);
  heardNothing(peer);
});

test('a server that offers no mechanism that is known gets nothing, and the log tells what it offers', async (t) => {
  const { peer, once, events } = await world(t, { extensions: ['AUTH CRAM-MD5 GSSAPI'] });
  assert.equal((await once()).kind, 'deferred');
  assert.match(events.last('delivery.sign-in.failed')!.reason, /CRAM-MD5 GSSAPI/);
  heardNothing(peer);
});

test('a server that ends SCRAM without proving that it knows the password is not trusted with mail', async (t) => {
  for (const lies of [
    { first: '235 2.7.0 welcome' },
    { final: '235 2.7.0 welcome' },
    { final: `334 ${b64('v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=')}` },
    { first: `334 ${b64('r=mine,s=c2FsdHNhbHQ=,i=4096')}` },
    { first: `334 ${b64('r=mine,s=c2FsdHNhbHQ=,i=999999999')}` },
  ]) {
    const answer = scramServer('another password', lies);
    const { peer, once, events } = await world(t, { extensions: ['AUTH SCRAM-SHA-256 PLAIN'], answer });
    const result = await once();
    assert.equal(result.kind, 'deferred', JSON.stringify(lies));
    assert.equal(events.last('delivery.sign-in.failed')?.problem, 'unproven');
    assert.ok(!peer.lines.some((line) => line.startsWith('MAIL') || line.startsWith('AUTH PLAIN')));
  }
});

test('hostile base64 and endless challenges end the attempt, and nothing more is said', async (t) => {
  for (const challenge of ['334 not base64!', '334 A', '334-QQ==\r\n334 QQ==', `334 ${'QUFB'.repeat(900)}`]) {
    const { peer, once } = await world(t, { answer: says('AUTH', challenge) });
    assert.equal((await once()).kind, 'deferred', challenge.slice(0, 20));
    assert.ok(peer.lines.at(-1)!.startsWith('AUTH PLAIN'));
  }
  const isAsked = ({ secure, verb }: Turn) => secure && verb !== 'EHLO';
  const endless = await world(t, {
    extensions: ['AUTH LOGIN'],
    answer: (turn) => (isAsked(turn) ? '334 QUFB' : undefined),
  });
  assert.equal((await endless.once()).kind, 'deferred');
  assert.ok(endless.peer.lines.length < 10);
});

test('454, 535, a hang-up and silence in the middle of AUTH defer mail and never return it', async (t) => {
  for (const [reply, problem] of [
    ['454 4.7.0 not now', 'put-off'],
    ['421 4.3.2 closing', 'put-off'],
    ['535 5.7.8 wrong', 'refused'],
    ['250 2.0.0 odd', 'unproven'],
    [DROP, 'lost'],
  ] as const) {
    const { once, events } = await world(t, { answer: says('AUTH', reply) });
    const result = await once();
    assert.deepEqual([result.kind, result.detail.status], ['deferred', '4.7.0'], String(reply));
    assert.equal(events.last('delivery.sign-in.failed')?.problem, problem);
  }
  const { deliver, clock, peer } = await world(t, { answer: says('AUTH', SILENCE) });
  const result = deliver(claimOf());
  while (!peer.lines.at(-1)?.startsWith('AUTH')) await new Promise((next) => setImmediate(next));
  await clock.advance(301_000);
  assert.equal((await result)[0]!.kind, 'deferred');
});

test('an outage is told of once, however much mail waits, and once more when it is over', async (t) => {
  let reply = '535 5.7.8 wrong';
  const { once, events, clock, peer } = await world(t, {
    answer: (turn) => (turn.verb === 'AUTH' ? reply : undefined),
  });
  for (let i = 0; i < 5; i++) {
    assert.equal((await once()).kind, 'deferred');
    // Mail in between asks nobody: many servers lock who fails too often.
    const waiting = await once();
    assert.equal(waiting.kind === 'deferred' && waiting.countsAsAttempt, false);
    await clock.advance(6 * MINUTE);
  }
  assert.equal(peer.sessions(), 5);
  assert.equal(events.count('delivery.sign-in.failed'), 1);
  const told = events.last('delivery.sign-in.failed')!;
  assert.deepEqual([told.host, told.user, told.problem], ['127.0.0.1', 'gateway', 'refused']);
  assert.match(told.reason, /535 5\.7\.8 wrong/);
  reply = '235 2.7.0 welcome';
  assert.equal((await once()).kind, 'relayed');
  assert.equal(events.count('delivery.sign-in.recovered'), 1);
});

test('while a sign-in fails, one message at a time tries it again', async (t) => {
  let reply = '535 5.7.8 wrong';
  const {
    deliver,
    clock,
    peer,
    world: table,
  } = await world(t, { answer: (turn) => (turn.verb === 'AUTH' ? reply : undefined) });
  const domains = ['a.example', 'b.example', 'c.example', 'd.example'];
  for (const domain of domains) table.servers[domain] = table.servers['example.com']!;
  const all = () => Promise.all(domains.map((destination) => deliver(claimOf({ destination }))));
  await deliver(claimOf());
  await clock.advance(6 * MINUTE);
  await all();
  assert.equal(peer.sessions(), 2);
  reply = '235 2.7.0 welcome';
  await clock.advance(6 * MINUTE);
  await all();
  assert.deepEqual(
    (await all()).flat().map(({ kind }) => kind),
    domains.map(() => 'relayed'),
  );
});

test('a server that repeats the password in its refusal does not get it into log, event or report', async (t) => {
  const echo = `535 5.7.8 no: ${SECRET} ${b64(SECRET)} ${b64(`\0gateway\0${SECRET}`)}`;
  const { once, events } = await world(t, { answer: says('AUTH', echo) });
  const result = await once();
  const written = JSON.stringify([result, events.seen]);
  assert.match(written, /no: \(hidden\) \(hidden\) \(hidden\)/);
  for (const form of [SECRET, b64(SECRET), b64(`\0gateway\0${SECRET}`)]) assert.ok(!written.includes(form));
});

test('connections of different credentials, or of none, are never shared', async (t) => {
  const peer = await startPeer(t, { tls, extensions: ['AUTH PLAIN'], answer: welcome });
  const { port } = peer;
  const hosts = ['a.example', 'b.example', 'c.example'];
  const logins = await loginsOf(t);
  for (const host of ['a.example', 'b.example'])
    await set(logins, { host, port }, { user: host, authority: '', pins: [PIN] });
  const { deliver } = deliveryHarness(t, {
    servers: Object.fromEntries(hosts.map((host) => [host, [{ host, port }]])),
    hostsFile: Object.fromEntries(hosts.map((host) => [host, ['127.0.0.1']])),
    logins,
  });
  const round = async () => {
    for (const destination of hosts) assert.equal((await deliver(claimOf({ destination })))[0]!.kind, 'relayed');
  };
  await round();
  assert.equal(peer.sessions(), 3);
  await round();
  assert.equal(peer.sessions(), 3);
  assert.equal(peer.lines.filter((line) => line.startsWith('AUTH')).length, 2);
});

test('a changed password is used at once, whatever the old one came to', async (t) => {
  const right = `AUTH PLAIN ${b64('\0gateway\0right')}`;
  const answer = ({ verb, line }: Turn) =>
    verb === 'AUTH' ? (line === right ? '235 2.7.0 ok' : '535 5.7.8 wrong') : undefined;
  const { once, logins, peer, delivery } = await world(t, { answer });
  assert.equal((await once()).kind, 'deferred');
  await set(logins, peer, { secret: 'right' });
  delivery.forgetRoutes();
  assert.equal((await once()).kind, 'relayed');
});

test('credentials that cannot be opened any more keep mail here, and nobody is connected to', async (t) => {
  const peer = await startPeer(t, { tls });
  const logins = { of: () => ({ user: 'gateway', key: 'login 1', connect: undefined }) };
  const servers = { 'example.com': [{ host: peer.host, port: peer.port }] };
  const { deliver, events } = deliveryHarness(t, { servers, logins });
  const [result] = await deliver(claimOf());
  assert.deepEqual([result!.kind, result!.detail.status], ['deferred', '4.7.0']);
  assert.match(events.last('delivery.route.unusable')!.reason, /set them again/);
  assert.equal(peer.sessions(), 0);
});

test('the smart host is signed in to as well', async (t) => {
  const peer = await startPeer(t, { tls, extensions: ['AUTH PLAIN'], answer: welcome });
  const logins = await loginsOf(t);
  await set(logins, peer);
  const settings = { 'delivery.smartHost': `127.0.0.1:${peer.port}` };
  const { deliver } = deliveryHarness(t, { settings, logins });
  assert.equal((await deliver(claimOf({ destination: 'remote.example' })))[0]!.kind, 'relayed');
  assert.ok(peer.lines.some((line) => line.startsWith('AUTH PLAIN')));
});

test('a server that was entered here and demands a sign-in (530) keeps its mail waiting; a stranger returns it', async (t) => {
  const peer = await startPeer(t, { answer: says('MAIL', '530 5.7.0 authentication required') });
  const { host, port } = peer;
  const { deliver, events } = deliveryHarness(t, {
    servers: { 'example.com': [{ host, port }] },
    dns: { 'remote.example A': [host] },
    exchangerPort: port,
  });
  for (let i = 0; i < 3; i++) {
    const [result] = await deliver(claimOf());
    assert.deepEqual([result!.kind, result!.detail.status], ['deferred', '4.0.0']);
  }
  assert.equal(events.count('delivery.sign-in.demanded'), 1);
  assert.equal((await deliver(claimOf({ destination: 'remote.example' })))[0]!.kind, 'failed');
});
