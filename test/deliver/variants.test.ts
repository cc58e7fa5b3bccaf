/** From the commit to the next host: a variant with another body arrives as it is to be, and validly signed. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Claim } from '../../src/queue/contract.ts';
import { attached, until } from '../queue/support/inline.ts';
import { address, message, recipient } from '../queue/support/queue.ts';
import { startPeer } from '../support/peer.ts';
import { verified } from './signing/support/verify.ts';
import { signingWorld } from './signing/support/world.ts';
import { deliveryHarness } from './support/harness.ts';

const HEADER = 'From: a@example.com\r\nX-Old: 1\r\nSubject: hello\r\nContent-Type: text/plain\r\n\r\n';
const LINE = 'a line of the attachment that nobody needs\r\n';

for (const [size, lines, inserted] of [
  ['in memory', 2, 'linked\r\n'],
  ['in files', 10_000, 'linked line by line\r\n'.repeat(20_000)],
] as const)
  test(`a message that is committed with splices, ${size}, reaches the next host spliced and signed`, async (t) => {
    const world = await signingWorld(t);
    await world.activate('example.com', 'r1', 'rsa-sha256');
    const peer = await startPeer(t, { extensions: ['SIZE 10000000', 'PIPELINING'] });
    const { deliver } = deliveryHarness(t, {
      servers: { 'x.example': [{ port: peer.port }] },
      signing: world.signing,
    });
    const node = await attached(t);
    const original = `${HEADER}first\r\n${LINE.repeat(lines)}last\r\n`;
    const spool = node.store.blobs.spool();
    spool.write(Buffer.from(inserted));
    const splices = [
      {
        offset: original.indexOf(LINE),
        length: LINE.length * lines,
        with: await spool.finish(),
        body: '7BIT' as const,
      },
      { offset: original.length, length: 0, with: Buffer.from('footer\r\n'), body: '7BIT' as const },
    ];
    const edits = [{ kind: 'remove', name: 'X-Old', occurrence: 0 }] as const;
    const sent = await message(
      node,
      [recipient('plain@x.example'), recipient('linked@x.example', { edits, splices })],
      { text: original, reversePath: address('a@example.com'), author: 'a@example.com' },
    );
    await node.queue.commit(sent);
    const claims: readonly Claim[] = node.dispatcher.claims;
    await until(() => claims.length === 2);
    for (const claim of claims) {
      const results = await deliver(claim);
      assert.equal(results[0]!.kind, 'relayed');
      await node.queue.settle(claim, results);
    }
    const texts = peer.messages.map(({ content }) => content);
    const spliced = `${HEADER.replace('X-Old: 1\r\n', '')}first\r\n${inserted}last\r\nfooter\r\n`;
    assert.ok(texts[0]!.toString().endsWith(original), 'the other recipient has what was sent');
    assert.ok(texts[1]!.toString().endsWith(spliced));
    for (const bytes of texts)
      assert.deepEqual(await verified(bytes, world.lookup, world.clock.now()), ['rsa-sha256 example.com r1: pass']);
  });
