/** Variants with another body: what arrives is the original with its splices, whole, in memory or streamed. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { fitAndSign } from '../../src/deliver/outgoing.ts';
import { splicedContent } from '../../src/deliver/splices.ts';
import type { ContentRef, Splice } from '../../src/model/content.ts';
import type { BodyType } from '../../src/model/envelope.ts';
import { OperationalError } from '../../src/model/errors.ts';
import { startPeer } from '../support/peer.ts';
import { arcResult, verified } from './signing/support/verify.ts';
import { signingWorld } from './signing/support/world.ts';
import { contentOf } from './support/content.ts';
import { addressOf, claimOf, deliveryHarness, type Letter } from './support/harness.ts';

const splice = (offset: number, length: number, text: string, isStreamed = false, body: BodyType = '7BIT'): Splice => ({
  offset,
  length,
  with: contentOf(Buffer.from(text), isStreamed, 3),
  body,
});

async function octetsOf(content: ContentRef, range?: { start: number; end: number }): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.open(range) as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const pieces = fc.array(
  fc.record({
    kept: fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
    taken: fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
    instead: fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
  }),
  { maxLength: 6 },
);

test('all of it, and every range of it, is what stands there once each splice is in its place', async () => {
  await fc.assert(
    fc.asyncProperty(
      pieces,
      fc.string({ maxLength: 9, unit: 'grapheme-ascii' }),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 8 }),
      fc.nat(90),
      fc.nat(90),
      async (parts, tail, isStreamed, isFile, block, a, b) => {
        let original = '';
        let expected = '';
        const splices: Splice[] = [];
        for (const { kept, taken, instead } of parts) {
          original += kept;
          splices.push(splice(original.length, taken.length, instead, isFile));
          original += taken;
          expected += kept + instead;
        }
        const content = splicedContent(contentOf(Buffer.from(original + tail), isStreamed, block), splices);
        expected += tail;
        assert.equal(content.sizeBytes, expected.length);
        assert.equal(await octetsOf(content), expected);
        const [start, end] = [Math.min(a, b, expected.length), Math.min(Math.max(a, b), expected.length)];
        assert.equal(await octetsOf(content, { start, end }), expected.slice(start, end));
      },
    ),
    { numRuns: 300 },
  );
});

for (const [why, splices] of [
  ['overlap', [splice(0, 4, ''), splice(3, 1, '')]],
  ['stand in another order', [splice(5, 1, ''), splice(0, 1, '')]],
  ['leave the content', [splice(9, 2, '')]],
  ['begin before it', [splice(-1, 1, '')]],
  ['are of no whole bytes', [splice(0, Number.NaN, '')]],
  ['are too many', Array.from({ length: 1_001 }, () => splice(0, 0, 'x'))],
] as const)
  test(`splices that ${why} are refused`, () => {
    assert.throws(() => splicedContent(contentOf(Buffer.from('0123456789')), splices), { code: 'content.splices' });
  });

test('of a damaged original nothing is given out behind the damage, though a splice takes it out', async () => {
  const damage = new OperationalError('content.corrupt', 'its SHA-256 differs');
  const whole = contentOf(Buffer.from('0123456789'), true);
  const damaged: ContentRef = {
    ...whole,
    open: (range) =>
      range
        ? whole.open(range)
        : ((async function* () {
            yield Buffer.from('01234');
            throw damage;
          })() as never),
  };
  let given = '';
  await assert.rejects(async () => {
    for await (const chunk of splicedContent(damaged, [splice(5, 5, 'instead')]).open()) given += chunk;
  }, damage);
  assert.equal(given, '01234');
});

const HEADER = 'From: a@example.com\r\nX-Old: 1\r\nContent-Type: text/plain\r\n\r\n';
const LETTER = `${HEADER}first\r\nsecret\r\nlast\r\n`;
const SECRET = LETTER.indexOf('secret');

async function send(t: test.TestContext, letter: Letter, extensions: readonly string[]) {
  const peer = await startPeer(t, { extensions });
  const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
  const results = await deliver(claimOf({ content: LETTER, ...letter }));
  return { result: results[0]!, text: peer.messages.at(-1)?.content.toString() ?? '' };
}

for (const isStreamed of [false, true])
  test(`a peer gets the spliced body below header edits, ${isStreamed ? 'streamed' : 'from memory'}`, async (t) => {
    const { result, text } = await send(
      t,
      {
        isStreamed,
        trace: 'Received: here\r\n',
        edits: [{ kind: 'remove', name: 'X-Old', occurrence: 0 }],
        splices: [splice(SECRET, 6, '.removed'), splice(LETTER.length, 0, 'footer\r\n', true)],
      },
      ['SIZE 1000'],
    );
    assert.equal(result.kind, 'relayed');
    const header = HEADER.replace('X-Old: 1\r\n', '');
    assert.equal(text, `Received: here\r\n${header}first\r\n.removed\r\nlast\r\nfooter\r\n`);
  });

test('what a splice has of 8-bit text is converted for a peer that takes none', async (t) => {
  const { text } = await send(t, { splices: [splice(SECRET, 6, 'grün', false, '8BITMIME')] }, []);
  assert.match(text, /Content-Transfer-Encoding: quoted-printable/i);
  assert.match(text, /gr=C3=BCn/);
});

test('the size that counts for a peer is that with the splices', async (t) => {
  const shorter = await send(t, { splices: [splice(SECRET, 8, '')] }, [`SIZE ${LETTER.length - 1}`]);
  assert.equal(shorter.result.kind, 'relayed');
  const longer = await send(t, { splices: [splice(SECRET, 0, 'more ')] }, [`SIZE ${LETTER.length + 1}`]);
  assert.deepEqual([longer.result.kind, longer.result.detail.status], ['failed', '5.3.4']);
});

test('attack: a bare LF that a splice puts before a dot does not end the message', async (t) => {
  const { result, text } = await send(t, { splices: [splice(SECRET, 6, 'x\n.\r\nMAIL FROM:<>\r\n')] }, []);
  assert.equal(result.kind, 'relayed');
  assert.match(text, /MAIL FROM:<>\r\n\r\nlast\r\n$/);
});

test('splices that cannot be made defer the mail and harm no other', async (t) => {
  const { result } = await send(t, { splices: [splice(LETTER.length, 1, '')] }, []);
  assert.equal(result.kind, 'deferred');
});

async function sentOut(world: Awaited<ReturnType<typeof signingWorld>>, letter: Letter): Promise<Buffer> {
  const fitted = await fitAndSign(claimOf({ content: LETTER, ...letter }), {} as never, world.signing);
  assert.equal(fitted.kind, 'ready');
  const { content } = fitted as Extract<typeof fitted, { kind: 'ready' }>;
  if (content.kind === 'whole') return Buffer.concat(content.pieces);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('each variant of a message is signed over its own body, streamed or not', async (t) => {
  const world = await signingWorld(t);
  await world.activate('example.com', 'r1', 'rsa-sha256');
  for (const isStreamed of [false, true])
    for (const instead of ['one.', 'two.']) {
      const splices = [splice(SECRET, 6, instead, isStreamed)];
      const bytes = await sentOut(world, { author: 'a@example.com', from: 'a@example.com', isStreamed, splices });
      assert.match(bytes.toString(), new RegExp(`first\\r\\n${instead}\\r\\nlast`));
      assert.deepEqual(await verified(bytes, world.lookup, world.clock.now()), ['rsa-sha256 example.com r1: pass']);
    }
});

test('mail of strangers whose body was changed is vouched for with a set that verifies', async (t) => {
  const world = await signingWorld(t);
  await world.activate('example.com', 'r1', 'rsa-sha256');
  const letter: Letter = {
    to: [{ address: addressOf('alice@example.com') }],
    edits: [
      { kind: 'prepend', raw: 'Authentication-Results: mx.example.com;\r\n\tspf=pass smtp.mailfrom=b@x.example\r\n' },
    ],
  };
  const plain = await sentOut(world, letter);
  assert.doesNotMatch(plain.toString(), /^ARC-Seal:/m);
  const bytes = await sentOut(world, { ...letter, splices: [splice(SECRET, 6, 'removed')] });
  assert.equal(await arcResult(bytes, world.lookup, world.clock.now()), 'pass');
});
