import assert from 'node:assert/strict';
import test from 'node:test';
import { suffixDoubt } from '../../../src/protocol/network/suffix-doubt.ts';

test('a public suffix in letters, dots or marks of another kind is doubted as the name that it is stored as', () => {
  for (const typed of [
    'com',
    '*@ｃｏｍ',
    'ｃｏｍ',
    'co\u3002uk',
    '*@ｃo\uff61ｕk',
    'c\u00adom',
    'co\u200b.uk',
    '*@рф',
    '\uff0a.com',
  ])
    assert.ok(suffixDoubt(typed), typed);
  for (const typed of ['example.com', 'bücher.example', '*@банк.рф', '*.internal', 'localhost', 'github.io'])
    assert.equal(suffixDoubt(typed), undefined, typed);
});
