import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { fitAndSign } from '../../../src/deliver/outgoing.ts';
import { composeDsn } from '../../../src/protocol/dsn/compose.ts';
import { parseEhloReply } from '../../../src/protocol/smtp/ehlo-reply.ts';
import type { Claim } from '../../../src/queue/contract.ts';
import { claimOf, type Letter } from '../support/harness.ts';
import { verified } from './support/verify.ts';
import { type SigningWorld, signingWorld, streamOf } from './support/world.ts';

const DAY_MS = 86_400_000;
const CONTENT = 'From: Alice <alice@example.com>\r\nTo: bob@x.example\r\nSubject: hello\r\n\r\nHello  there. \r\n\r\n';
const BOTH = ['rsa-sha256 example.com r1: pass', 'ed25519-sha256 example.com e1: pass'];

/** From an account of example.com, unless `author` says another; null: a stranger. */
function claimBy(author: string | null, letter: Letter = {}, clientAddress = '192.0.2.99'): Claim {
  const claim = claimOf({ from: 'alice@example.com', content: CONTENT, destination: 'x.example', ...letter });
  return { ...claim, message: { ...claim.message, clientAddress, ...(author !== null && { author }) } };
}

async function withKeys(t: TestContext, ...domains: string[]): Promise<SigningWorld> {
  const world = await signingWorld(t, { domains: domains.length > 0 ? domains : ['example.com'] });
  for (const domain of domains.length > 0 ? domains : ['example.com']) {
    await world.activate(domain, 'r1', 'rsa-sha256');
    await world.activate(domain, 'e1', 'ed25519-sha256');
  }
  return world;
}

const results = async (world: SigningWorld, claim: Claim): Promise<string[]> =>
  verified((await world.send(claim)).bytes, world.lookup, world.clock.now());

test('mail of an account carries an RSA and an Ed25519 signature that an independent verifier passes', async (t) => {
  const world = await withKeys(t);
  assert.deepEqual(await results(world, claimBy('alice@example.com')), BOTH);
});

test('a field added on the way breaks the signatures, as it was signed to be absent', async (t) => {
  const world = await withKeys(t);
  const { bytes } = await world.send(claimBy('alice@example.com'));
  for (const added of [
    'From: eve@evil.example',
    'Subject: pay here',
    'Reply-To: eve@evil.example',
    'Content-Type: text/html',
  ]) {
    const altered = Buffer.concat([Buffer.from(`${added}\r\n`), bytes]);
    for (const result of await verified(altered, world.lookup, world.clock.now()))
      assert.match(result, /: fail/, added);
  }
});

test('any content is signed so that it verifies, in one piece or in chunks', async (t) => {
  const world = await withKeys(t);
  const word = fc.constantFrom('a', 'Grüße', '  ', '\t', '.', '\r\n', '\r\n\r\n', '--', '=20', 'x'.repeat(100));
  const value = fc.array(fc.constantFrom('word', ' ', '  ', '\t', '\r\n ', ';', '=?utf-8?q?x?='), {
    minLength: 1,
    maxLength: 8,
  });
  const one = fc.record({
    subject: value.map((parts) => `s${parts.join('')}e`),
    body: fc.array(word, { maxLength: 30 }).map((words) => words.join('')),
    cuts: fc.array(fc.nat(300), { maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(one, async ({ subject, body, cuts }) => {
      const content = Buffer.from(`From: alice@example.com\r\nSubject: ${subject}\r\n\r\n${body}`, 'latin1');
      const claim = claimBy('alice@example.com', { content });
      const inChunks = streamOf(
        content,
        cuts.map((cut) => Math.min(cut, content.length)),
      );
      const { bytes } = await world.send(claim, inChunks);
      assert.deepEqual(await verified(bytes, world.lookup, world.clock.now()), BOTH);
      const whole = await world.send(claimBy('alice@example.com', { content }));
      const bodyHash = /bh=[^;]+/.exec(bytes.toString('latin1'))![0];
      assert.equal(/bh=[^;]+/.exec(whole.bytes.toString('latin1'))![0], bodyHash);
    }),
    { numRuns: 60 },
  );
});

test('attack: a stranger writes a local From, and gets no signature', async (t) => {
  const world = await withKeys(t);
  const claim = claimBy(null, { from: 'alice@example.com' });
  assert.equal(world.signing.concerns(claim), false);
  const { bytes } = await world.send(claim);
  assert.equal(bytes.toString(), CONTENT);
});

test('attack: an account writes the From of another local domain, and gets no signature', async (t) => {
  const world = await withKeys(t, 'example.com', 'other.example');
  const content = CONTENT.replace('alice@example.com', 'ceo@other.example');
  assert.deepEqual(await results(world, claimBy('alice@example.com', { content })), []);
  assert.equal(world.events.last('signing.unsigned')?.reason, 'not-aligned');
});

test('attack: two From fields, or two domains in one, get no signature', async (t) => {
  const world = await withKeys(t);
  for (const content of [
    `From: ceo@victim.example\r\n${CONTENT}`,
    CONTENT.replace('From: Alice', 'From: <x@y.example>, Alice'),
  ])
    assert.deepEqual(await results(world, claimBy('alice@example.com', { content })), []);
  assert.equal(world.events.last('signing.unsigned')?.reason, 'from');
});

test('a domain mail server gets signatures for each domain it serves, and for no other', async (t) => {
  const world = await withKeys(t, 'example.com', 'other.example');
  const content = CONTENT.replace('alice@example.com', 'ceo@other.example');
  assert.equal((await results(world, claimBy('@example.com', { content }, '192.0.2.25'))).length, 2);
  assert.deepEqual(await results(world, claimBy('@example.com', { content }, '192.0.2.26')), []);
});

test('a domain below the account’s own is signed with the key of the domain above it', async (t) => {
  const world = await withKeys(t);
  const content = CONTENT.replace('alice@example.com', 'alice@news.example.com');
  assert.deepEqual(await results(world, claimBy('alice@example.com', { content })), BOTH);
  const near = CONTENT.replace('alice@example.com', 'alice@badexample.com');
  assert.deepEqual(await results(world, claimBy('alice@example.com', { content: near })), []);
});

test('our own reports are signed with the key of a domain above the hostname', async (t) => {
  const world = await withKeys(t);
  const content = CONTENT.replace('alice@example.com', 'mailer-daemon@mx.example.com');
  assert.deepEqual(await results(world, claimBy('@mx.example.com', { content, from: null })), BOTH);
});

test('a next try has the same signature; once half of its life is over, it has a new one', async (t) => {
  const world = await withKeys(t);
  const claim = claimBy('alice@example.com');
  const first = (await world.send(claim)).bytes;
  await world.clock.advance(DAY_MS);
  assert.deepEqual((await world.send(claim)).bytes, first);
  await world.clock.advance(3 * DAY_MS);
  const later = (await world.send(claim)).bytes;
  assert.notDeepEqual(later, first);
  assert.deepEqual(await verified(later, world.lookup, world.clock.now()), BOTH);
});

test('a signature outlives the queue, whatever the setting says', async (t) => {
  const world = await withKeys(t);
  world.settings['signing.lifeDays'] = 2;
  world.settings['queue.expiryDays'] = 10;
  const text = (await world.send(claimBy('alice@example.com'))).bytes.toString();
  const [, signedAt, expiresAt] = /t=(\d+); x=(\d+)/.exec(text)!.map(Number);
  assert.equal(expiresAt! - signedAt!, (12 * DAY_MS) / 1000);
  assert.doesNotMatch(text, /[;\s][lz]=/);
});

test('a key that is changed while a message waits signs its next try, and the old record still verifies what was sent', async (t) => {
  const world = await withKeys(t);
  const claim = claimBy('alice@example.com');
  const before = (await world.send(claim)).bytes;
  await world.write(await world.dkim.create('example.com', 'rsa-sha256', 'r2'));
  const keys = await world.dkim.ofDomain('example.com');
  const key = keys.find(({ selector }) => selector === 'r2')!;
  const instead = keys.find(({ selector }) => selector === 'r1');
  world.dns['r2._domainkey.example.com'] = [`k=rsa; p=${key.public_key}`];
  await world.write(await world.dkim.change('example.com', [{ kind: 'activate', key, instead }]));
  assert.deepEqual((await results(world, claim)).sort(), [
    'ed25519-sha256 example.com e1: pass',
    'rsa-sha256 example.com r2: pass',
  ]);
  assert.deepEqual(await verified(before, world.lookup, world.clock.now()), BOTH);
});

test('a clock a few minutes off makes no signature invalid', async (t) => {
  const world = await withKeys(t);
  const { bytes } = await world.send(claimBy('alice@example.com'));
  for (const skewMs of [-300_000, 300_000])
    assert.deepEqual(await verified(bytes, world.lookup, world.clock.now() + skewMs), BOTH);
});

test('a key that cannot be opened leaves mail unsigned, and does not stop it', async (t) => {
  const world = await withKeys(t);
  const damage = "update dkim_key set private_key = 'damaged'";
  await world.db.write([{ sql: damage, parameters: [], writes: { topic: 'dkim_key' } }]);
  const { bytes } = await world.send(claimBy('alice@example.com'));
  assert.equal(bytes.toString(), CONTENT);
  assert.equal(world.events.last('signing.unsigned')?.reason, 'key');
});

test('a domain that does not want signatures gets none', async (t) => {
  const world = await withKeys(t);
  world.settings['signing.dkim'] = false;
  assert.deepEqual(await results(world, claimBy('alice@example.com')), []);
});

test('a report that is signed whole for one host and shortened for the next verifies at both', async (t) => {
  const world = await withKeys(t);
  const header = Buffer.from('From: alice@example.com\r\nSubject: Hello\r\n');
  const original = Buffer.concat([header, Buffer.from(`\r\n${'the body\r\n'.repeat(500)}`)]);
  const dsn = composeDsn({
    reportingMta: 'example.com',
    from: 'mailer-daemon@example.com',
    to: 'alice@example.com',
    arrivedAt: 0,
    recipients: [{ action: 'failed', finalRecipient: 'bob@x.example', status: '5.1.1' }],
    returned: { kind: 'full', sizeBytes: original.length, body: '7BIT', smtputf8: false, header },
    date: 0,
    messageId: '<n1@example.com>',
    boundary: 'made-by-chance',
  });
  const pieces = dsn.segments.map((part) => (part.kind === 'bytes' ? part.bytes : original));
  const claim = claimOf({ from: null, author: '@example.com', content: Buffer.concat(pieces) });
  const sizes: number[] = [];
  for (const limit of ['SIZE 100000', 'SIZE 4000']) {
    const extensions = parseEhloReply({ code: 250, text: ['peer.example', limit] });
    const fitted = await fitAndSign(claim, extensions, world.signing);
    assert.ok(fitted.kind === 'ready' && fitted.content.kind === 'whole');
    const bytes = Buffer.concat(fitted.content.pieces);
    sizes.push(bytes.length);
    assert.deepEqual(await verified(bytes, world.lookup, world.clock.now()), BOTH);
  }
  assert.ok(sizes[1]! < 4000 && sizes[0]! > 5000);
});
