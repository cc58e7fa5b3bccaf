import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSizes } from '../../src/report/dmarc/sizes.ts';
import { dmarcStatements } from '../../src/report/dmarc/statements.ts';
import { REMEMBERED_SITES, ROWS_PER_DAY, ROWS_PER_SITE } from '../../src/report/limits.ts';
import type { Database } from '../../src/store/contract.ts';

/** A day that has so many rows when the node starts, none of them of a domain that is asked for. */
function sizesWith(rows: number) {
  const database = { scan: async () => [{ rows }], read: async () => [{ rows: 0 }] } as unknown as Database;
  return createSizes(database, dmarcStatements('sqlite'));
}

test('an attacker who writes in the name of ever new domains of his own fills his part of the rows of a day, others have theirs', async () => {
  const sizes = sizesWith(ROWS_PER_DAY / 2);
  let taken = 0;
  for (let n = 0; n < ROWS_PER_SITE + 100; n++)
    if (await sizes.takeRow(1, `d${n}.attacker.example`, `2001:db8:1:${(n % 500).toString(16)}::1`)) taken++;
  assert.equal(taken, ROWS_PER_SITE);
  assert.equal(await sizes.takeRow(1, 'honest.example', '2001:db8:2::1'), true);
  assert.equal(await sizes.takeRow(1, 'd1.attacker.example', '192.0.2.1'), true, 'of another site');
  assert.equal(await sizes.takeRow(2, 'd1.attacker.example', '2001:db8:1::1'), true, 'a new day');
});

test('sites beyond those that are remembered share one part', async () => {
  const sizes = sizesWith(ROWS_PER_DAY / 2);
  const site = (n: number): string => `10.${n >> 8}.${n & 255}.1`;
  for (let n = 0; n < REMEMBERED_SITES; n++) await sizes.takeRow(1, `d${n}.example`, site(n));
  let taken = 0;
  for (let n = 0; n < ROWS_PER_SITE + 10; n++)
    if (await sizes.takeRow(1, `e${n}.example`, site(REMEMBERED_SITES + n))) taken++;
  assert.equal(taken, ROWS_PER_SITE);
});
