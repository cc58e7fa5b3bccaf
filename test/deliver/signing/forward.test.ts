import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderEdit } from '../../../src/model/content.ts';
import type { Claim } from '../../../src/queue/contract.ts';
import { addressOf, claimOf, type Letter } from '../support/harness.ts';
import { arcResult } from './support/verify.ts';
import { type SigningWorld, signingWorld } from './support/world.ts';

const DAY_MS = 86_400_000;
const CONTENT = 'From: <bob@stranger.example>\r\nSubject: x\r\n\r\nbody\r\n';
const found = (results: string): HeaderEdit => ({
  kind: 'prepend',
  raw: `Authentication-Results: mx.example.com;\r\n\t${results}\r\n`,
});
const RESULTS = found('spf=pass smtp.mailfrom=bob@stranger.example');

/** A stranger's mail to an alias of example.com that leads to another domain. */
function forwarded(letter: Letter = {}, to = 'alice@elsewhere.example'): Claim {
  const address = addressOf(to);
  const recipient = { address, original: addressOf('alice@example.com') };
  return claimOf({
    from: 'bob@stranger.example',
    content: CONTENT,
    edits: [RESULTS],
    destination: address.domain,
    to: [recipient],
    ...letter,
  });
}

const arcOf = async (world: SigningWorld, claim: Claim): Promise<{ bytes: Buffer; result: string; sets: number }> => {
  const { bytes } = await world.send(claim);
  const sets = bytes.toString('latin1').match(/^ARC-Seal:/gim)?.length ?? 0;
  return { bytes, sets, result: await arcResult(bytes, world.lookup, world.clock.now()) };
};

async function open(t: Parameters<typeof signingWorld>[0]): Promise<SigningWorld> {
  const world = await signingWorld(t);
  await world.activate('example.com', 'r1', 'rsa-sha256');
  return world;
}

test('what is forwarded carries a set that says what was found here, and verifies', async (t) => {
  const { bytes, result, sets } = await arcOf(await open(t), forwarded());
  assert.equal(result, 'pass');
  assert.equal(sets, 1);
  assert.match(bytes.toString(), /^ARC-Authentication-Results: i=1; mx\.example\.com;\r\n\tspf=pass/m);
});

test('a chain that passed is continued, a second hop after the first', async (t) => {
  const world = await open(t);
  const first = (await arcOf(world, forwarded())).bytes;
  const again = forwarded({ content: first, edits: [found('arc=pass; spf=fail smtp.mailfrom=x.example')] });
  const { bytes, result, sets } = await arcOf(world, again);
  assert.equal(result, 'pass');
  assert.equal(sets, 2);
  assert.match(bytes.toString(), /ARC-Seal: i=2; a=rsa-sha256; t=\d+; cv=pass;/);
});

test('attack: a chain that nobody here looked at, or that is none, is not vouched for', async (t) => {
  const world = await open(t);
  const chained = (await arcOf(world, forwarded())).bytes;
  assert.equal((await arcOf(world, forwarded({ content: chained, edits: [RESULTS] }))).sets, 1);
  assert.equal((await arcOf(world, forwarded({ edits: [found('arc=pass')] }))).sets, 0);
});

test('attack: results that the sender wrote in our name are not taken for ours', async (t) => {
  const world = await open(t);
  const forged = 'Authentication-Results: mx.example.com; dkim=pass header.d=bank.example\r\n';
  assert.equal((await arcOf(world, forwarded({ content: `${forged}${CONTENT}`, edits: [] }))).sets, 0);
});

test('a chain that failed here is sealed as failed, once, and never again', async (t) => {
  const world = await open(t);
  const first = (await arcOf(world, forwarded())).bytes;
  const failed = await arcOf(world, forwarded({ content: first, edits: [found('arc=fail')] }));
  assert.equal(failed.sets, 2);
  assert.match(failed.bytes.toString(), /ARC-Seal: i=2; [^;]+; t=\d+; cv=fail;/);
  assert.equal(failed.result, 'fail');
  assert.equal((await arcOf(world, forwarded({ content: failed.bytes, edits: [found('arc=fail')] }))).sets, 2);
});

test('a subject changed here is sealed on its way to the domain’s own server, plain inbound mail is left alone', async (t) => {
  const world = await open(t);
  const inbound: Letter = { destination: 'example.com', to: ['alice@example.com'] };
  const tagged: HeaderEdit = { kind: 'replace', name: 'Subject', occurrence: 0, raw: 'Subject: [spam] x\r\n' };
  assert.equal(world.signing.concerns(claimOf({ ...inbound, edits: [RESULTS] })), false);
  assert.equal(world.signing.concerns(claimOf({ ...inbound, edits: [RESULTS, tagged] })), true);
});

test('a stranger’s reverse-path is rewritten where his mail leaves for another domain, and leads back to him', async (t) => {
  const world = await open(t);
  const { from } = await world.send(forwarded());
  assert.match(from!, /^SRS0=[a-z2-7]{8}=[a-z2-7]{2}=stranger\.example=bob@example\.com$/);
  const reversal = world.srs.reverse(from!.slice(0, from!.lastIndexOf('@')));
  assert.deepEqual(reversal, { kind: 'valid', address: { local: 'bob', domain: 'stranger.example' } });
});

test('reverse-paths of ours, of bounces and of mail that stays are left as they are', async (t) => {
  const world = await open(t);
  const from = async (claim: Claim) => (await world.send(claim)).from;
  assert.equal(await from(forwarded({ from: 'carol@example.com' })), 'carol@example.com');
  assert.equal(await from(forwarded({ from: null })), undefined);
  assert.equal(await from(forwarded({ destination: 'example.com' })), 'bob@stranger.example');
  world.settings['signing.srs'] = false;
  assert.equal(await from(forwarded()), 'bob@stranger.example');
});

test('rewritten senders may have a domain of their own', async (t) => {
  const world = await open(t);
  world.settings['signing.srsDomain'] = 'srs.example.net';
  assert.match((await world.send(forwarded())).from!, /@srs\.example\.net$/);
});

test('a rewritten sender lives 21 days through a change of key, and no longer', async (t) => {
  const world = await open(t);
  const { local } = world.srs.forward(addressOf('bob@stranger.example'), 'example.com');
  await world.clock.advance(15 * DAY_MS);
  await world.srs.rotate();
  await world.clock.advance(6 * DAY_MS);
  assert.equal(world.srs.reverse(local).kind, 'valid');
  await world.clock.advance(DAY_MS);
  assert.equal(world.srs.reverse(local).kind, 'expired');
  await world.clock.advance(30 * DAY_MS);
  await world.srs.rotate();
  const next = world.srs.forward(addressOf('bob@stranger.example'), 'example.com');
  assert.notEqual(next.local.split('=')[1], local.split('=')[1]);
  await world.clock.advance(90 * DAY_MS);
  await world.srs.rotate();
  assert.equal(world.srs.reverse(next.local).kind, 'forged');
});
