import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { bodyHashes } from '../../../src/protocol/dkim/body-hashes.ts';

/** RFC 6376 3.4.3 and 3.4.4, word for word, over a whole body with CRLF line ends. */
const AS_THE_RFC_SAYS = {
  simple: (body: string): string => `${body.replace(/(?:\r\n)*$/, '')}\r\n`,
  relaxed(body: string): string {
    const text = body
      .replace(/[ \t]+(?=\r\n|$(?![\s\S]))/g, '')
      .replace(/[ \t]+/g, ' ')
      .replace(/(?:\r\n)*$/, '');
    return text === '' ? '' : `${text}\r\n`;
  },
} as const;

const hashOf = (text: string): string => createHash('sha256').update(text, 'latin1').digest('base64');

test('a body has the hash and length that the RFC gives it, wherever its chunks fall, bare line feeds as CRLF', () => {
  const piece = fc.constantFrom('a', 'bc', ' ', '  ', '\t', '\r\n', '\r\n\r\n', '\r', '\n', '.', 'ä');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.array(fc.nat(80), { maxLength: 5 }), (pieces, cuts) => {
      const body = pieces.join('');
      const at = [0, ...cuts.map((cut) => Math.min(cut, body.length)).sort((a, b) => a - b), body.length];
      const hashes = bodyHashes([{ how: 'relaxed' }, { how: 'simple' }]);
      for (const [i, end] of at.slice(1).entries()) hashes.push(Buffer.from(body.slice(at[i], end), 'latin1'));
      for (const { how, hash, length } of hashes.end()) {
        const canonical = AS_THE_RFC_SAYS[how](body.replace(/\r?\n/g, '\r\n'));
        assert.deepEqual([how, hash, length], [how, hashOf(canonical), canonical.length]);
      }
    }),
    { numRuns: 3000 },
  );
});

test('beyond what anybody wants of a body nothing is hashed, and its length says that there is more', () => {
  const hashes = bodyHashes([{ how: 'simple', most: 10 }]);
  hashes.push(Buffer.from('ten octets'));
  assert.equal(hashes.isDone(), false);
  hashes.push(Buffer.from(', and more'));
  assert.equal(hashes.isDone(), true);
  hashes.push(Buffer.from('x'.repeat(1000)));
  const [body] = hashes.end();
  assert.ok(body!.length > 10 && body!.length < 100);
});
