/** What the vector instructions see is what a loop over octets sees, however the octets are cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDataDecoder } from '../../../src/protocol/smtp/data-decoder.ts';
import { hasOnlyCrlf, lines } from '../../../src/protocol/smtp/line-scan.ts';
import { createNewlineGuard } from '../../../src/protocol/smtp/newlines.ts';

const [CR, LF, DOT] = [13, 10, 46];

function slowly(octets: Buffer, from: number): number {
  for (let at = from; at < octets.length; at++) {
    const before = at > 0 ? octets[at - 1] : 0;
    if ((octets[at] === LF) !== (before === CR) || (octets[at] === DOT && before === LF)) return at;
  }
  return -1;
}

const text = fc.string({
  unit: fc.constantFrom('\r\n', '\r\n', '.', '\r', '\n', 'a', 'plain text', '\xff'),
  maxLength: 40,
});

test('the next place of interest is found from every octet on', () => {
  fc.assert(
    fc.property(text, (content) => {
      const octets = Buffer.from(content, 'latin1');
      for (let at = 0; at <= octets.length; at++) assert.equal(lines.next(octets, at), slowly(octets, at));
    }),
    { numRuns: 1000 },
  );
});

test('a place of interest is found wherever it lies in more than a window', () => {
  const plain = Buffer.from(`${'x'.repeat(62)}\r\n`.repeat(3000), 'latin1');
  assert.equal(lines.next(plain, 0), -1);
  assert.ok(hasOnlyCrlf(plain));
  for (const at of [0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 131_071, 131_072, plain.length - 1]) {
    for (const octet of [CR, LF]) {
      const octets = Buffer.from(plain);
      octets[at] = octet;
      if (octets.equals(plain)) continue;
      assert.equal(lines.next(octets, 0), slowly(octets, 0), `${octet} at ${at}`);
      assert.equal(hasOnlyCrlf(octets), false, `${octet} at ${at}`);
    }
  }
});

test('octets that were changed are looked at anew once that is said', () => {
  const octets = Buffer.from('a\r\nb\r\n');
  assert.equal(lines.next(octets, 0), -1);
  octets[3] = LF;
  lines.begin(octets);
  assert.equal(lines.next(octets, 0), 3);
});

test('two who look by turns see each its own', () => {
  const [one, other] = [Buffer.from('aaaa\n'), Buffer.from('b\n')];
  for (let turn = 0; turn < 3; turn++) assert.deepEqual([lines.next(one, 0), lines.next(other, 0)], [4, 1]);
});

test('the guard finds in what the decoder hands on as plain what it finds without that word', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(text, sizes, fc.constantFrom('refuse', 'normalise'), (content, cuts, mode) => {
      const wire = Buffer.from(`${content}\r\n.\r\n`, 'latin1');
      const told: string[] = [];
      for (const isTold of [true, false]) {
        const decoder = createDataDecoder();
        const guard = createNewlineGuard(mode as 'refuse' | 'normalise');
        const out: Buffer[] = [];
        const write = (slice: Buffer): void => void out.push(slice);
        for (let at = 0, turn = 0, end = -1; at < wire.length && end < 0; turn++) {
          const chunk = wire.subarray(at, at + cuts[turn % cuts.length]!);
          at += chunk.length;
          end = decoder.push(chunk, 0, (slice, isPlain) => guard.push(slice, write, isTold && isPlain));
        }
        told.push(`${guard.finish(write)} ${mode === 'normalise' ? Buffer.concat(out).toString('latin1') : ''}`);
      }
      assert.equal(told[0], told[1]);
    }),
    { numRuns: 3000 },
  );
});
