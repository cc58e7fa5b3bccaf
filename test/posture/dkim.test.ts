import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { characterStrings, formatKeyRecord } from '../../src/protocol/dkim/record.ts';
import type { ZoneName } from '../support/zone.ts';
import { KEY, KEY_NAME, KEY_RECORD, said, world } from './support.ts';

const CASES: readonly (readonly [claim: string, record: ZoneName, says: string])[] = [
  ['the record of the key is good', { TXT: [characterStrings(KEY_RECORD)] }, 'good good'],
  ['no record is told', {}, 'wrong missing critical'],
  ['another key is told', { TXT: [characterStrings(KEY_RECORD.replace('p=', 'p=AAAA'))] }, 'wrong other-key critical'],
  ['a withdrawn key is told', { TXT: ['v=DKIM1; k=rsa; p='] }, 'wrong revoked critical'],
  ['two records are told', { TXT: [characterStrings(KEY_RECORD), 'v=DKIM1; p=AAAA'] }, 'wrong several critical'],
  ['the testing flag is told', { TXT: [characterStrings(`${KEY_RECORD}; t=y`)] }, 'wrong testing important'],
  [
    'a record for another service is told',
    { TXT: [characterStrings(`${KEY_RECORD}; s=tlsrpt`)] },
    'wrong restricted critical',
  ],
  ['a name that the DNS cannot tell is no fault', { fault: 'SERVFAIL' }, 'cannot-tell cannot-tell'],
];

for (const [claim, record, says] of CASES) {
  test(`DKIM: ${claim}`, async (t) => {
    const { results } = await world(t, { [KEY_NAME]: record });
    assert.deepEqual(said(await results('dkim')), [says]);
  });
}

test('DKIM: the record to publish is in strings that a zone file takes, and is what the verifier wants', async (t) => {
  const { results, zone } = await world(t, { [KEY_NAME]: {} });
  const [line] = (await results('dkim'))[0]!.publish;
  const strings = [...line!.matchAll(/"([^"]*)"/g)].map((match) => match[1]!);
  assert.ok(strings.length === 2 && strings.every((string) => string.length <= 255));
  assert.ok(line!.startsWith(`${KEY_NAME}. 3600 IN TXT `));
  const second = await world(t, { ...zone.records, [KEY_NAME]: { TXT: [strings] } });
  assert.deepEqual(said(await second.results('dkim')), ['good good']);
});

test('DKIM: a key behind an alias is found', async (t) => {
  const { results } = await world(t, {
    [KEY_NAME]: { CNAME: 'key1.host.example' },
    'key1.host.example': { TXT: [characterStrings(KEY_RECORD)] },
  });
  assert.deepEqual(said(await results('dkim')), ['good good']);
});

test('DKIM: what is seen of the records is handed on to be kept', async (t) => {
  const { results, sights } = await world(t, { [KEY_NAME]: {} });
  await results('dkim');
  assert.deepEqual(
    sights.map(({ key, check }) => [key.selector, check.state]),
    [['s1', 'missing']],
  );
});

test('DKIM: a domain without a key is told; a new key waits for its record; a retired one does not matter', async (t) => {
  const made = await world(t, { [KEY_NAME]: {} });
  made.keys = [];
  assert.deepEqual(said(await made.results('dkim')), ['wrong no-key important']);
  made.keys = [{ ...KEY, state: 'pending' }];
  assert.deepEqual(said(await made.results('dkim')), ['wrong waiting important']);
  made.keys = [{ ...KEY, state: 'retiring' }];
  assert.deepEqual(said(await made.results('dkim')), ['wrong no-key important']);
});

for (const [bits, says] of [
  [1024, 'good modest-key advice'],
  [512, 'wrong short-key critical'],
] as const) {
  test(`DKIM: an RSA key of ${bits} bits is told`, async (t) => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
    const public_key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    const made = await world(t, { [KEY_NAME]: { TXT: [formatKeyRecord('rsa-sha256', public_key)] } });
    made.keys = [{ ...KEY, public_key }];
    assert.deepEqual(said(await made.results('dkim')), [says]);
  });
}
