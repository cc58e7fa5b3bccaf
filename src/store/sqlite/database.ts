/** The Database over SQLite: a reader on the loop, a writer with group commit, a thread for long reads. */

import type { Clock } from '../../world/clock.ts';
import { createChangeBus, published } from '../changes.ts';
import type { Database } from '../contract.ts';
import { loopExecutor, threadExecutor } from './executor.ts';
import type { Health } from './health.ts';
import { openReader } from './reader.ts';
import { createScanner } from './scanner.ts';
import { createWriter } from './writer.ts';

export interface SqliteOptions {
  readonly path: string;
  readonly writer: 'thread' | 'loop';
  readonly clock: Clock;
  readonly health: Health;
  /** Told once when the file turns out to be damaged. */
  onCorrupt(detail: string): void;
}

/** The file exists and its schema is up to date (migrate.ts). */
export function openSqlite({ path, writer: home, clock, health, onCorrupt }: SqliteOptions): Database {
  const executor = home === 'thread' ? threadExecutor(path) : loopExecutor(path);
  let isTold = false;
  const tellCorrupt = (detail: string): void => {
    if (!isTold) onCorrupt(detail);
    isTold = true;
  };
  const writer = createWriter({ path, executor, clock, health, onCorrupt: tellCorrupt });
  const reader = openReader(path, tellCorrupt);
  const scanner = createScanner(path, clock, tellCorrupt);
  const changes = createChangeBus();
  return {
    dialect: 'sqlite',
    readNow: reader.read,
    read: async (statement) => reader.read(statement),
    scan: scanner.scan,
    write(unit) {
      const heard = changes.heardOf(unit);
      const written = writer.write(unit);
      return heard.length === 0 ? written : published(written, () => changes.publish(heard));
    },
    changes,
    async close() {
      await scanner.close();
      reader.close();
      // Last, so that it finds itself alone and folds the log into the database.
      await writer.close();
    },
  };
}
