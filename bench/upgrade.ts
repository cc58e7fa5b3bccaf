/**
 * How long the upgrade of a data folder takes that an older version left with a million held rows: the
 * folder of the upgrade test (test/support/upgrade), filled up, then migrated as a start does it.
 *
 *     node bench/upgrade.ts [--rows 1000000] [--folder /var/tmp]
 *
 * Prints seconds and processor time of filling, of the copies, and of each migration. Half of the held rows
 * have header edits, which one migration makes into rows of their own.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { MIGRATIONS } from '../src/catalogue.ts';
import { openStore } from '../src/store/open.ts';
import { systemClock } from '../src/world/clock.ts';
import { systemRandom } from '../src/world/random.ts';
import { recordedEvents } from '../test/support/events.ts';
import { unpackFolder } from '../test/support/upgrade/folder.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, folder: { type: 'string', default: tmpdir() } },
});
const rows = Number(values.rows);
const folder = mkdtempSync(join(values.folder, 'postern-upgrade-'));

function timed(what: string): () => void {
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(before);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`${what}: ${seconds} s, ${((user + system) / 1e6).toFixed(1)} s of processor time`);
  };
}

/** Copies of a held message and its recipient, each under a key of its own, to 10,000 users of 100 domains. */
function fill(path: string): void {
  const db = new DatabaseSync(path);
  db.exec('pragma journal_mode = wal; pragma synchronous = off; begin');
  const held = db
    .prepare(`select message.key as key from message join recipient on recipient.message = message.key
      where recipient.state = 'held' limit 1`)
    .get() as { key: number };
  const top = (db.prepare('select max(key) as top from message').get() as { top: number }).top;
  const series = `with recursive series(i) as (select 1 union all select i + 1 from series where i < ${rows})`;
  for (const table of ['message', 'recipient', 'content']) {
    const columns = (db.prepare(`select name from pragma_table_info('${table}')`).all() as { name: string }[]).map(
      ({ name }) => name,
    );
    const value = (name: string): string => {
      if (name === 'key' || (name === 'message' && table !== 'message')) return `${top} + i`;
      if (name === 'address') return `'user' || (i % 10000) || '@domain' || (i % 100) || '.example'`;
      if (name === 'hold_class') return `case i % 3 when 0 then 'user' when 1 then 'admin' else 'operator' end`;
      if (name === 'edits') return `case i % 2 when 0 then '[]' else edits end`;
      return `"${name}"`;
    };
    db.exec(`${series} insert into ${table} (${columns.map((name) => `"${name}"`).join(', ')})
      select ${columns.map(value).join(', ')} from series, ${table} where ${table === 'message' ? 'key' : 'message'} = ${held.key}`);
  }
  db.exec('commit');
  db.close();
}

/** Each with what it takes; all are one transaction. */
const MEASURED = MIGRATIONS.map((migration) => ({
  ...migration,
  async up(...args: Parameters<typeof migration.up>) {
    const end = timed(`  ${migration.name}`);
    await migration.up(...args);
    end();
  },
}));

try {
  const data = join(folder, 'data');
  unpackFolder(resolve(import.meta.dirname, '../test/support/upgrade/schema-45.br'), data);
  const filled = timed(`filled with ${rows} held rows`);
  fill(join(data, 'state.db'));
  filled();
  console.log(`state.db: ${(statSync(join(data, 'state.db')).size / 1e6).toFixed(0)} MB`);
  const events = recordedEvents();
  const upgraded = timed('upgraded, with the copy');
  const store = await openStore(data, {
    clock: systemClock,
    random: systemRandom,
    events,
    writer: 'loop',
    migrations: MEASURED,
  });
  upgraded();
  await store.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
