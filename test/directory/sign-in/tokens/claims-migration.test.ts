import assert from 'node:assert/strict';
import test from 'node:test';
import { sql } from 'kysely';
import { tokenMigrations } from '../../../../src/directory/sign-in/tokens/schema.ts';
import { settingsMigrations } from '../../../../src/settings/schema.ts';
import type { StoreMigration } from '../../../../src/store/migration.ts';
import { memoryDatabase } from '../../../support/database.ts';

type Row = readonly [owner: string, key: string, value: string];

const having = (...rows: readonly Row[]): StoreMigration => ({
  name: '0003-rows',
  async up(db) {
    for (const [owner, key, value] of rows)
      await sql
        .raw(
          `insert into setting values ('${owner === '' ? 'global' : 'domain'}', '${owner}', '${key}', '${value}', 7, 'x')`,
        )
        .execute(db);
  },
});

test('a node with issuers keeps the claims that its users sign in by; a new one, and one with a value of its own, has nothing added', async (t) => {
  const claims = async (...rows: readonly Row[]): Promise<readonly string[]> => {
    const db = await memoryDatabase(t, ...settingsMigrations, having(...rows), ...tokenMigrations);
    const found = await db.read({ sql: "select value from setting where key = 'oauth.addressClaims'", parameters: [] });
    return found.map((row) => String(row['value']));
  };
  const before = '["email","preferred_username","upn"]';
  assert.deepEqual(await claims(), []);
  assert.deepEqual(await claims(['', 'oauth.issuers', '["https://a.example b"]']), [before]);
  assert.deepEqual(await claims(['example.com', 'oauth.issuers', '["https://a.example b"]']), [before]);
  const own = ['', 'oauth.addressClaims', '["upn"]'] as const;
  assert.deepEqual(await claims(['', 'oauth.issuers', '[]'], own), ['["upn"]']);
});
