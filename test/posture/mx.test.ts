import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ZoneName } from '../support/zone.ts';
import { DOMAIN, HELO, said, world } from './support.ts';

const CASES: readonly (readonly [claim: string, records: Record<string, ZoneName>, says: readonly string[]])[] = [
  ['an exchanger that leads to this node is good', {}, ['good good']],
  ['a domain without MX is told', { [DOMAIN]: { A: ['192.0.2.80'] } }, ['wrong missing important']],
  ['a null MX is told', { [DOMAIN]: { MX: [[0, '.']] } }, ['wrong null-mx critical']],
  [
    'a null MX beside others is told, and the others are looked at',
    {
      [DOMAIN]: {
        MX: [
          [0, '.'],
          [10, HELO],
        ],
      },
    },
    ['wrong null-mx-among-others critical', 'good good'],
  ],
  ['an address in place of a name is told', { [DOMAIN]: { MX: [[10, '192.0.2.1']] } }, ['wrong address critical']],
  [
    'an alias is told',
    { [DOMAIN]: { MX: [[10, 'mail.example.com']] }, 'mail.example.com': { CNAME: HELO } },
    ['wrong alias important'],
  ],
  [
    'an exchanger without an address is told',
    { [DOMAIN]: { MX: [[10, 'gone.example.com']] } },
    ['wrong no-address critical'],
  ],
  [
    'an exchanger of somebody else is told, beside ours, in the order of preference',
    {
      [DOMAIN]: {
        MX: [
          [20, 'mx.other.example'],
          [10, HELO],
        ],
      },
      'mx.other.example': { A: ['198.51.100.7'] },
    },
    ['good good', 'wrong elsewhere important'],
  ],
  [
    'an exchanger whose name the DNS cannot tell is no fault',
    { [DOMAIN]: { MX: [[10, 'mx.other.example']] }, 'mx.other.example': { fault: 'SERVFAIL' } },
    ['cannot-tell cannot-tell'],
  ],
  ['a domain that the DNS cannot tell is no fault', { [DOMAIN]: { fault: 'SERVFAIL' } }, ['cannot-tell cannot-tell']],
];

for (const [claim, records, says] of CASES) {
  test(`MX: ${claim}`, async (t) => {
    const { results } = await world(t, records);
    assert.deepEqual(said(await results('mx')), says);
  });
}

test('MX: what is missing comes as a line for the zone', async (t) => {
  const { results } = await world(t, { [DOMAIN]: {} });
  assert.deepEqual((await results('mx'))[0]?.publish, ['example.com. 3600 IN MX 10 mx.example.com.']);
});

test('MX: an exchanger that the operator named is good wherever it leads', async (t) => {
  const { results, settings } = await world(t, {
    [DOMAIN]: { MX: [[10, 'MX.other.example']] },
    'mx.other.example': { A: ['198.51.100.7'] },
  });
  settings['posture.exchangers'] = ['mx.Other.example'];
  assert.deepEqual(said(await results('mx')), ['good good']);
});

test('MX: a node that knows no public address cannot tell whose an exchanger is', async (t) => {
  const { results, settings } = await world(t, {
    [DOMAIN]: { MX: [[10, 'mx.other.example']] },
    'mx.other.example': { A: ['198.51.100.7'] },
  });
  settings['smtp.publicAddresses'] = [];
  const [result] = await results('mx');
  assert.equal(result?.verdict, 'cannot-tell');
  assert.match(result?.why ?? '', /smtp\.publicAddresses/);
});
