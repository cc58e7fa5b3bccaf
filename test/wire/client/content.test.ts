/** Content on its way out by DATA: what the peer makes of it is what there was, however it is cut. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createDataDecoder } from '../../../src/protocol/smtp/data-decoder.ts';
import { encodeWhole } from '../../../src/wire/client/content.ts';

function asReceived(wire: Buffer): string {
  const out: Buffer[] = [];
  const end = createDataDecoder().push(wire, 0, (slice) => out.push(slice));
  assert.equal(end, wire.length, 'the data ends where it is to end');
  return Buffer.concat(out).toString('latin1');
}

const line = fc.constantFrom('', '.', '..', '.x', 'hello', 'x'.repeat(5000));
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

test('guarded pieces arrive as they were, cut anywhere, in one buffer or in several', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), cuts, (lines, at) => {
      const whole = Buffer.from(lines.map((text) => `${text}\r\n`).join(''), 'latin1');
      const offsets = [0, ...at.map((part) => Math.floor(part * whole.length)), whole.length].sort((a, b) => a - b);
      const pieces = offsets.slice(1).map((offset, n) => whole.subarray(offsets[n], offset));
      const above = Buffer.from('Received: here\r\n');
      const wire = Buffer.concat(encodeWhole([above, ...pieces], pieces));
      assert.equal(asReceived(wire), `${above}${whole.toString('latin1')}`);
    }),
    { numRuns: 300 },
  );
});
