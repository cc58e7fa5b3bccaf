import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editDistance } from '../../../src/protocol/confusables/edit-distance.ts';
import { jaroWinkler } from '../../../src/protocol/confusables/jaro-winkler.ts';
import { bitCount, letterSet } from '../../../src/protocol/confusables/letters.ts';
import { skeleton } from '../../../src/protocol/confusables/skeleton.ts';
import { writeMailbox } from '../../../src/protocol/mime/write-mailbox.ts';

test('texts that look alike have the same skeleton', () => {
  for (const [a, b] of [
    ['paypal', 'рауpаl'],
    ['PayPal', 'paypaI'],
    ['paypal', 'paypa1'],
    ['google', 'g00gle'],
    ['modern', 'rnodem'],
    ['twitter', 'tvvitter'],
    ['microsoft', 'ⅿicroѕoft'],
    ['amazon', 'αmɑzοn'],
    ['apple', 'ａｐｐｌｅ'],
    ['apple', '𝖆𝖕𝖕𝖑𝖊'],
    ['office', 'o\ufb03ce'],
    ['Ørsted', 'orsted'],
    ['armenian', 'ɑrmeniɑո'],
    ['straße', 'strasse'],
  ] as const)
    assert.equal(skeleton(a), skeleton(b), `${a} ${b}`);
});

test('texts that do not look alike keep different skeletons', () => {
  for (const [a, b] of [
    ['jane', 'john'],
    ['иван', 'петр'],
    ['李雷', '韩梅梅'],
  ] as const)
    assert.notEqual(skeleton(a), skeleton(b));
});

test('the skeleton of any text is that of its capitals but for letters that change their looks, and never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      assert.equal(typeof skeleton(text), 'string');
      assert.equal(skeleton(`${text}\u200b`), skeleton(text));
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zA-Z0-9 .-]{0,40}$/), (text) => {
      assert.equal(skeleton(text.toUpperCase()), skeleton(text.toLowerCase()));
    }),
  );
});

test('the similarities that Winkler published', () => {
  for (const [a, b, similarity] of [
    ['MARTHA', 'MARHTA', 0.961],
    ['DWAYNE', 'DUANE', 0.84],
    ['DIXON', 'DICKSONX', 0.813],
    ['', '', 1],
    ['a', '', 0],
  ] as const)
    assert.ok(Math.abs(jaroWinkler(a, b) - similarity) < 0.001, `${a} ${b} ${jaroWinkler(a, b)}`);
});

test('the similarity is that of both orders of its texts, between 0 and 1, and 1 for equal ones', () => {
  const text = fc.string({ maxLength: 80 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const similarity = jaroWinkler(a, b);
      assert.ok(similarity >= 0 && similarity <= 1);
      assert.equal(jaroWinkler(a, a), 1);
    }),
  );
});

/** Straight from the definition, without a bound. */
function plainDistance(a: string, b: string): number {
  const d = Array.from({ length: a.length + 1 }, (_, i) => [i, ...Array<number>(b.length).fill(0)]);
  for (let j = 0; j <= b.length; j++) d[0]![j] = j;
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      d[i]![j] = Math.min(d[i - 1]![j]! + 1, d[i]![j - 1]! + 1, d[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        d[i]![j] = Math.min(d[i]![j]!, d[i - 2]![j - 2]! + 1);
    }
  return d[a.length]![b.length]!;
}

test('the bounded distance is the plain one as far as the bound', () => {
  const text = fc.stringMatching(/^[abc]{0,12}$/);
  fc.assert(
    fc.property(text, text, fc.integer({ min: 0, max: 4 }), (a, b, bound) => {
      assert.equal(editDistance(a, b, bound), Math.min(plainDistance(a, b), bound + 1));
    }),
    { numRuns: 3000 },
  );
});

test('letters that one text has and another lacks bound what they have in common', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), (a, b) => {
      const missing = [...new Set(a)].filter((letter) => !b.includes(letter)).length;
      assert.ok(bitCount(letterSet(a) & ~letterSet(b)) <= missing);
    }),
  );
});

test('names are quoted, or encoded without splitting a character, in words of at most 75 characters', () => {
  assert.equal(writeMailbox('A "B" \\C', 'a@b.example'), '"A \\"B\\" \\\\C" <a@b.example>');
  assert.equal(writeMailbox('', 'a@b.example'), '<a@b.example>');
  assert.equal(writeMailbox('x\r\nBcc: y', 'a@b.example'), '"x  Bcc: y" <a@b.example>');
  const written = writeMailbox('ü€😀'.repeat(30), 'a@b.example').split(' ').slice(0, -1);
  assert.ok(written.length > 3);
  for (const word of written) assert.ok(word.trim().length <= 75);
  const decoded = written.map((word) => Buffer.from(word.trim().slice(10, -2), 'base64').toString('utf8')).join('');
  assert.equal(decoded, 'ü€😀'.repeat(30));
});
