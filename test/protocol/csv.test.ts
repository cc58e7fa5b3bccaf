import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatCsv, parseCsv } from '../../src/protocol/csv/csv.ts';

test('what was written is read again, whatever is in it', () => {
  const field = fc.string().filter((text) => !/^[=+\-@\t\r\ufeff]/.test(text));
  const row = fc.array(field, { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 10 }), (rows) => {
      assert.deepEqual(parseCsv(formatCsv(rows)), rows);
    }),
    { numRuns: 300 },
  );
});

test('rows end as spreadsheets end them, and empty ones are left out', () => {
  assert.deepEqual(parseCsv('\ufeffa,b\nc,d\r\n\r\ne,"f ""g"""'), [
    ['a', 'b'],
    ['c', 'd'],
    ['e', 'f "g"'],
  ]);
});

test('a quote that never ends, or ends in the middle, is malformed', () => {
  for (const text of ['a,"b', 'a,"b"c', 'a"b,c']) assert.equal(parseCsv(text), undefined, text);
});

test('a name that a spreadsheet would run as a formula is written harmlessly', () => {
  assert.equal(formatCsv([['=cmd()', 'b']]), "'=cmd(),b\r\n");
});
