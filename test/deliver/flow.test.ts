import assert from 'node:assert/strict';
import test from 'node:test';
import { startPeer } from '../support/peer.ts';
import { claimOf, deliveryHarness, LETTER } from './support/harness.ts';

const EVERYTHING = ['PIPELINING', 'SIZE 10000000', '8BITMIME', 'SMTPUTF8', 'DSN', 'CHUNKING', 'BINARYMIME'];

for (const extensions of [[], ['PIPELINING'], ['CHUNKING'], ['PIPELINING', 'CHUNKING'], EVERYTHING]) {
  for (const isStreamed of [false, true]) {
    const how = `${extensions.join(' ') || 'nothing'}${isStreamed ? ', streamed' : ''}`;
    test(`a message arrives whole at a peer that offers ${how}`, async (t) => {
      const peer = await startPeer(t, { extensions });
      const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: peer.port }] } });
      const claim = claimOf({
        trace: 'Received: from here\r\n',
        isStreamed,
        to: ['alice@example.com', 'al@example.com'],
      });
      const results = await deliver(claim);
      assert.deepEqual(
        results.map(({ kind, detail }) => [kind, detail.status, detail.reply, detail.remote]),
        [
          ['relayed', '2.0.0', '250 2.0.0 taken', true],
          ['relayed', '2.0.0', '250 2.0.0 taken', true],
        ],
      );
      assert.equal(peer.messages[0]!.content.toString(), `Received: from here\r\n${LETTER}`);
      assert.equal(peer.messages[0]!.by, extensions.includes('CHUNKING') ? 'BDAT' : 'DATA');
      assert.equal(peer.messages[0]!.rcpt.length, 2);
    });
  }
}
