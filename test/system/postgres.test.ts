/**
 * The other dialect, by a real PostgreSQL: every migration, every statement prepared, and the tests of the
 * directory over it, which is also the directory without a database that reads at once.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { MIGRATIONS } from '../../src/catalogue.ts';
import { ROOMS, statementsIn } from '../store/support/statements.ts';
import { missingPostgres, postgresDatabase, startPostgres } from '../support/postgres.ts';

test('PostgreSQL runs every migration and prepares every statement of every room', {
  skip: missingPostgres(),
}, async (t) => {
  const { client } = await postgresDatabase(t, await startPostgres(t), MIGRATIONS);
  let prepared = 0;
  for (const [room, make] of Object.entries(ROOMS))
    for (const { sql } of statementsIn(make('postgres'))) {
      const name = `s${++prepared}`;
      await assert.doesNotReject(client.query(`prepare ${name} as ${sql}`), `${room}: ${sql}`);
    }
  t.diagnostic(`${prepared} statements`);
  assert.ok(prepared >= 170);
});

/** Not sign-in/credentials.test.ts: it counts the order of look-ups by turns of the event loop. */
const FILES = [
  'addresses/identities.test.ts',
  'addresses/report-addresses.test.ts',
  'caches.test.ts',
  'directory.test.ts',
  'rules/rules.test.ts',
  'servers/logins.test.ts',
  'servers/trust.test.ts',
  'sign-in/tokens/tokens.test.ts',
  'signing-keys/dkim-keys.test.ts',
  'sources/verification.test.ts',
];

/** What is not run, by its title, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  'an account is found in any case, at once': 'asks for an answer without a promise',
  'a user whom a source confirms has an account from then on': 'asks for an answer without a promise',
  'a hundred thousand accounts are looked up without slowing down': 'fills the table with SQL of SQLite',
  'new credentials take the place of the old': 'what is held in memory follows a moment behind the commit',
  'TLS begins with the first octet on 465': 'the same',
  'pins are taken as openssl, curl and our own messages write them': 'the same',
  'a server that exists gets networks and conditions': 'the same',
  'a sealed key that was moved to another name does not open': 'the same',
};
const LEAST_TESTS = 70;

test('the tests of the directory pass over PostgreSQL', { skip: missingPostgres() }, async (t) => {
  const socket = await startPostgres(t);
  const files = FILES.map((file) => `test/directory/${file}`);
  const skipped = Object.keys(LEFT_OUT).map((title) => `--test-skip-pattern=${title}`);
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--test', '--test-reporter=spec', ...skipped, ...files],
    { env: { ...process.env, POSTERN_TEST_POSTGRES: socket, NODE_TEST_CONTEXT: undefined }, encoding: 'utf8' },
  );
  const passed = Number(/^ℹ pass (\d+)$/m.exec(stdout)?.[1]);
  assert.equal(status, 0, stdout.slice(-4000));
  assert.ok(passed >= LEAST_TESTS, `${passed} passed`);
  t.diagnostic(`${passed} passed; left out: ${Object.keys(LEFT_OUT).join('; ')}`);
});
