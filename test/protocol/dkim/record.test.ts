import assert from 'node:assert/strict';
import { test } from 'node:test';
import { characterStrings, flawOf, formatKeyRecord } from '../../../src/protocol/dkim/record.ts';

const KEY = 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A';

test('what is written is what is looked for, however zones and people space it', () => {
  assert.equal(flawOf(formatKeyRecord('rsa-sha256', KEY), 'rsa-sha256', KEY), undefined);
  assert.equal(flawOf(`k=rsa;p=${KEY.slice(0, 9)} ${KEY.slice(9)} ; v=DKIM1`, 'rsa-sha256', KEY), undefined);
  assert.equal(flawOf(`p=${KEY}`, 'rsa-sha256', KEY), undefined);
});

test('another key, a withdrawn one and one for other uses are told apart', () => {
  const flaw = (record: string) => flawOf(record, 'rsa-sha256', KEY);
  assert.equal(flaw('v=DKIM1; p=other'), 'other-key');
  assert.equal(flaw(`v=DKIM2; p=${KEY}`), 'other-key');
  assert.equal(flaw('v=spf1 -all'), 'other-key');
  assert.equal(flaw('v=DKIM1; p='), 'revoked');
  assert.equal(flaw(`v=DKIM1; k=ed25519; p=${KEY}`), 'restricted');
  assert.equal(flaw(`v=DKIM1; h=sha1; p=${KEY}`), 'restricted');
  assert.equal(flaw(`v=DKIM1; s=tlsrpt; p=${KEY}`), 'restricted');
  assert.equal(flaw(`v=DKIM1; t=s:y; p=${KEY}`), 'testing');
});

test('a long record is split into strings that a zone can hold', () => {
  const record = 'x'.repeat(300);
  assert.deepEqual(
    characterStrings(record).map(({ length }) => length),
    [255, 45],
  );
});
