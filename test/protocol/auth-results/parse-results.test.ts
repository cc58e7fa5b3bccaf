import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAuthResults } from '../../../src/protocol/auth-results/auth-results.ts';
import { parseAuthResults } from '../../../src/protocol/auth-results/parse-results.ts';

test('every result is read, with its properties, whatever white space and comments stand between', () => {
  const value =
    'i=1; mx.example.com; DKIM/1 (a (nested) note) = Pass header.d=a.example;\r\n\tdkim=fail reason="no; key" header . d = b.example; none';
  assert.deepEqual(parseAuthResults(value), [
    { method: 'i', result: '1', properties: [] },
    { method: 'dkim', result: 'pass', properties: [['header.d', 'a.example']] },
    {
      method: 'dkim',
      result: 'fail',
      properties: [
        ['reason', 'no; key'],
        ['header.d', 'b.example'],
      ],
    },
  ]);
  assert.deepEqual(parseAuthResults(''), []);
});

test('an attacker hides a result in a string or a comment: it is none', () => {
  const hidden = 'dmarc=pass header.from=bank.example';
  for (const value of [
    `mx; spf=pass smtp.mailfrom="x; ${hidden}"@a.example`,
    `mx; spf=pass (; ${hidden})`,
    `mx; spf=pass (\\); ${hidden}`,
    `mx; spf=pass smtp.helo="a\\"; ${hidden}`,
  ])
    assert.deepEqual(
      parseAuthResults(value).map(({ method }) => method),
      ['spf'],
      value,
    );
});

test('what this node writes is read back as it was meant, whatever strangers say in it', () => {
  const said = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\x00-\x1f\x7f]/g, ' '));
  fc.assert(
    fc.property(said, said, (a, b) => {
      const field = formatAuthResults('mx.example.com', [
        { method: 'spf', result: 'fail', comment: a, properties: [['smtp.mailfrom', b]] },
        { method: 'dmarc', result: 'none' },
      ]);
      const [spf, dmarc] = parseAuthResults(field.slice(field.indexOf(':') + 1));
      assert.equal(spf?.method, 'spf');
      assert.equal(dmarc?.result, 'none');
      assert.equal(spf.properties.length, 1);
    }),
  );
});
