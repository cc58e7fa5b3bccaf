import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatAuthResults,
  formatReceivedSpf,
  mayClaim,
  parseAuthservId,
} from '../../../src/protocol/auth-results/auth-results.ts';

test('results stand in one field, folded, with what is no token in quotes', () => {
  const field = formatAuthResults('mx.example.com', [
    {
      method: 'spf',
      result: 'pass',
      comment: 'sender is authorised',
      properties: [
        ['smtp.mailfrom', 'bob@elsewhere.example'],
        ['smtp.helo', 'a b'],
      ],
    },
    { method: 'dkim', result: 'fail', reason: 'body hash "differs"', properties: [['header.d', 'elsewhere.example']] },
  ]);
  assert.equal(
    field.replace(/\r\n\t/g, ' '),
    'Authentication-Results: mx.example.com; spf=pass (sender is authorised) smtp.mailfrom=bob@elsewhere.example smtp.helo="a b"; dkim=fail reason="body hash \\"differs\\"" header.d=elsewhere.example\r\n',
  );
  assert.ok(field.split('\r\n').every((line) => line.length <= 78));
  assert.equal(formatAuthResults('mx.example.com', []), 'Authentication-Results: mx.example.com; none\r\n');
});

test('nothing a stranger says breaks the field into two', () => {
  const hostile = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(hostile, hostile, (a, b) => {
      const fields = [
        formatAuthResults('mx.example.com', [
          { method: 'spf', result: 'fail', comment: a, reason: b, properties: [['smtp.mailfrom', a]] },
        ]),
        formatReceivedSpf({ result: 'fail', comment: a, pairs: [['helo', b]] }),
      ];
      for (const field of fields) assert.doesNotMatch(field.slice(0, -2).replace(/\r\n\t/g, ' '), /[\r\n\0]/);
    }),
  );
});

const OURS: readonly string[] = [
  'mx.example.com; spf=pass',
  ' MX.Example.Com ;dkim=pass',
  '(hi (there)) mx.example.com;',
  '"mx.example.com"; spf=pass',
  'mx.example.com/1; none',
  'mx.example.com 1; none',
  '; mx.example.com',
  'mx.example.com.; spf=pass',
  'mx(hi).example.com; spf=pass',
  'mx .example\t.com; spf=pass',
  'mx\u00e2\u0080\u008b.example.com; spf=pass',
];
const OTHERS: readonly string[] = [
  'mx.example.com.evil.example; spf=pass',
  'mail.other.example; spf=pass (mx.example.com)',
  '',
  ';',
];

test('a forged field that some reader could take for ours is recognised, however it is dressed', () => {
  for (const value of OURS) assert.ok(mayClaim(value, 'mx.example.com'), value);
  for (const value of OTHERS) assert.ok(!mayClaim(value, 'mx.example.com'), value);
});

test('no value makes the reader throw', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseAuthservId(text)));
});
