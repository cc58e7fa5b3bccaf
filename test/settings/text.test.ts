import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { amount, count, flag, list, text } from '../../src/settings/define.ts';
import { formatValue, parseValue } from '../../src/settings/text.ts';

const bytes = amount(1, 'bytes', { min: 0, max: 1e15 }, '');
const minutes = amount(1, 'minutes', { min: 0, max: 1e9 }, '');

for (const [setting, typed, value] of [
  [bytes, '20MiB', 20 * 1024 * 1024],
  [bytes, '1.5 kB', 1500],
  [bytes, '700', 700],
  [bytes, '4h', '4h'],
  [minutes, '4h', 240],
  [minutes, '1 d', 1440],
  [minutes, '30s', 0.5],
  [count(1, { min: 0, max: 10 }, ''), '4h', '4h'],
  [flag(true, ''), 'Off', false],
  [flag(true, ''), 'maybe', 'maybe'],
  [list([], ''), ' a, b ,c', ['a', 'b', 'c']],
  [list([], ''), '', []],
  [list([], ''), '["a,b"]', ['a,b']],
  [text('', ''), ' 12 ', '12'],
] as const) {
  test(`${JSON.stringify(typed)} is read as ${JSON.stringify(value)}`, () => {
    assert.deepEqual(parseValue(setting, typed), value);
  });
}

test('what is shown can be typed again', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 45 }), (value) => {
      assert.equal(parseValue(bytes, formatValue(bytes, value)), value);
      assert.equal(parseValue(minutes, formatValue(minutes, value)), value);
    }),
  );
  for (const value of [true, false])
    assert.equal(parseValue(flag(true, ''), formatValue(flag(true, ''), value)), value);
});
