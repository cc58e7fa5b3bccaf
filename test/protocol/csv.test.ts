import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { armed, formatCsv, parseCsv } from '../../src/protocol/csv/csv.ts';

test('what was written is read again, whatever is in it', () => {
  const start = fc.constantFrom('', '=', '+', '-', '@', '\t', '\r', '\n', "'", "'=", "''=", ' =', '＝', '＠');
  const field = fc
    .tuple(start, fc.string())
    .map((parts) => parts.join(''))
    .filter((text) => !text.startsWith('\ufeff'));
  const row = fc.array(field, { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 10 }), (rows) => {
      const read = parseCsv(formatCsv(rows))?.map((fields) => fields.map(armed));
      assert.deepEqual(read, rows);
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

test('no field begins with what a spreadsheet would run, whatever was exported', () => {
  const start = fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n=', '  =', "'=", '＝', '＋', '－', '＠');
  fc.assert(
    fc.property(start, fc.string(), (sign, rest) => {
      assert.match(formatCsv([[sign + rest, 'b']]), /^"?'/);
    }),
  );
});

test('a name that a spreadsheet would run as a formula is written harmlessly', () => {
  assert.equal(formatCsv([['=cmd()', 'b']]), "'=cmd(),b\r\n");
});
