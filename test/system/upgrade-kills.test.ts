/** The migration of an older version's folder, killed at every step of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { unpackFolder } from '../support/upgrade/folder.ts';
import { temporaryFolder } from './support/node.ts';

const PACKED = resolve(import.meta.dirname, '../support/upgrade/schema-45.br');
const PROGRAM = resolve(import.meta.dirname, '../support/upgrade/migrate-and-die.ts');
/** Steps tried by one run of all tests: each kill is two processes. `POSTERN_TEST_STEPS=all` tries every one. */
const STEPS = process.env['POSTERN_TEST_STEPS'] ?? '6';

function run(folder: string, dieAt?: number): { readonly signal: string | null; readonly out: string } {
  const args = ['--disable-warning=ExperimentalWarning', PROGRAM, folder, ...(dieAt === undefined ? [] : [`${dieAt}`])];
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.ok(signal !== null || status === 0, stderr);
  return { signal, out: stdout };
}

/** Tables, their definitions and all rows; times of the migrator itself aside. */
function dump(path: string): string {
  const db = new DatabaseSync(path, { readOnly: true });
  const check = db.prepare('pragma integrity_check').get() as { integrity_check: string };
  const objects = db.prepare('select type, name, sql from sqlite_schema order by type, name').all();
  const rows = objects
    .filter(
      ({ type, sql, name }) => type === 'table' && !/virtual table/i.test(String(sql)) && !/^kysely/.test(String(name)),
    )
    .map(({ name }) => [
      name,
      db
        .prepare(`select * from "${name}"`)
        .all()
        .map((row) => JSON.stringify(row))
        .sort(),
    ]);
  db.close();
  return JSON.stringify({ check: check.integrity_check, objects, rows }, null, 1);
}

const stateOf = (folder: string): readonly string[] => ['state.db', 'log.db'].map((name) => dump(join(folder, name)));
const copiesOf = (folder: string): readonly string[] =>
  readdirSync(join(folder, 'backups'))
    .filter((name) => name.endsWith('.db'))
    .sort()
    .map((name) => `${name} ${dump(join(folder, 'backups', name))}`);

test('a migration that is killed at any step and started again ends where an undisturbed one does, with whole copies', (t) => {
  const base = temporaryFolder(t);
  const older = join(base, 'older');
  unpackFolder(PACKED, older);
  const fresh = (name: string): string => {
    cpSync(older, join(base, name), { recursive: true });
    return join(base, name);
  };
  const undisturbed = fresh('undisturbed');
  const steps = Number(run(undisturbed).out);
  assert.ok(steps > 20, `${steps} steps`);
  const [wanted, copies] = [stateOf(undisturbed), copiesOf(undisturbed)];
  assert.equal(copies.length, 2);
  const tried = STEPS === 'all' ? steps : Math.min(steps, Number(STEPS));
  for (let i = 0; i < tried; i++) {
    const dieAt = 1 + Math.floor((i * steps) / tried);
    const folder = fresh(`killed-${dieAt}`);
    assert.equal(run(folder, dieAt).signal, 'SIGKILL', `at ${dieAt} of ${steps}`);
    run(folder);
    assert.deepEqual(stateOf(folder), wanted, `killed at ${dieAt} of ${steps}`);
    assert.deepEqual(copiesOf(folder), copies, `copies, killed at ${dieAt} of ${steps}`);
  }
  t.diagnostic(`${tried} kills of ${steps} steps`);
});
