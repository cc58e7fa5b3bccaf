import assert from 'node:assert/strict';
import test from 'node:test';
import { saltPassword } from '../../../src/protocol/sasl/scram.ts';
import { createSalting } from '../../../src/wire/client/salting.ts';

test('a password is salted as the grammar says, and once while the server asks for the same salt', async () => {
  const salting = createSalting();
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const first = salting('pencil', salt, 4096);
  assert.equal(salting('pencil', Buffer.from(salt), 4096), first);
  assert.deepEqual(Buffer.from(await first), saltPassword('pencil', salt, 4096));
  const other = salting('pencil', salt, 5000);
  assert.notEqual(other, first);
  assert.deepEqual(Buffer.from(await other), saltPassword('pencil', salt, 5000));
  assert.deepEqual(await salting('pencil', salt, 4096), await first);
});
