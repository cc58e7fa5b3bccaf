/** A real store in a folder of its own, and what its events said. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { EVENTS } from '../../../src/catalogue.ts';
import type { SqlValue, Statement } from '../../../src/store/contract.ts';
import type { StoreMigration } from '../../../src/store/migration.ts';
import { openStore, type Store } from '../../../src/store/open.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { type Disk, systemDisk } from '../../../src/world/disk.ts';
import { createEvents } from '../../../src/world/events.ts';
import { systemRandom } from '../../../src/world/random.ts';

export const thingTable: StoreMigration = {
  name: '0001-thing',
  up: (db) =>
    db.schema
      .createTable('thing')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('value', 'text')
      .execute(),
};

export function sql(text: string, ...parameters: SqlValue[]): Statement {
  return { sql: text, parameters };
}

export const insert = (id: number, value: SqlValue = null): Statement =>
  sql('insert into thing (id, value) values (?, ?)', id, value);

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-store-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface TestStore extends Store {
  readonly folder: string;
  readonly told: string[];
  ids(): Promise<unknown[]>;
}

export async function openTestStore(
  t: TestContext,
  options: {
    readonly folder?: string;
    readonly writer?: 'thread' | 'loop';
    readonly disk?: Disk;
    readonly migrations?: readonly StoreMigration[];
  } = {},
): Promise<TestStore> {
  const { folder = temporaryFolder(t), writer = 'thread', disk, migrations = [thingTable] } = options;
  const told: string[] = [];
  const events = createEvents(EVENTS, Date.now, (error) => {
    throw error;
  });
  events.attach((name) => told.push(name));
  const store = await openStore(folder, { clock: systemClock, random: systemRandom, events, migrations, writer, disk });
  t.after(() => store.close());
  return {
    ...store,
    folder,
    told,
    ids: async () => (await store.database.read(sql('select id from thing order by id'))).map(({ id }) => id),
  };
}

/** The system's disk, on which one primitive fails while `broken` says so. */
export function faultyDisk(broken: { append?: string; sync?: string; syncFolder?: string }): Disk {
  const fail = (code: string | undefined): void => {
    if (code) throw Object.assign(new Error(`${code}: injected`), { code });
  };
  return {
    ...systemDisk,
    async create(path) {
      const file = await systemDisk.create(path);
      return {
        ...file,
        async append(chunks) {
          fail(broken.append);
          await file.append(chunks);
        },
        async sync() {
          fail(broken.sync);
          await file.sync();
        },
      };
    },
    async syncFolder(path) {
      fail(broken.syncFolder);
      await systemDisk.syncFolder(path);
    },
  };
}
