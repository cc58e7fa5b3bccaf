/**
 * A process that migrates a folder and kills itself at the nth step: before a statement of the state
 * database that changes something, or when the copies are moved to their names. Without a number it goes
 * through, and prints how many steps there are.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { migrate as migrateLog } from '../../../src/journal/schema.ts';
import { systemDisk } from '../../../src/world/disk.ts';
import { migrateFolder } from './folder.ts';

const [folder, at] = process.argv.slice(2);
const dieAt = Number(at ?? Number.POSITIVE_INFINITY);
let steps = 0;

function step(): void {
  if (++steps === dieAt) process.kill(process.pid, 'SIGKILL');
}

/** Reads change nothing: a kill at one is as a kill at the next statement. */
const CHANGES = /^\s*(?!select|pragma|with|explain)/i;

const { exec, prepare } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (sql) {
  if (CHANGES.test(sql)) step();
  return exec.call(this, sql);
};
DatabaseSync.prototype.prepare = function (sql, ...options) {
  if (CHANGES.test(sql)) step();
  return prepare.call(this, sql, ...options);
};
const disk = {
  ...systemDisk,
  async move(from: string, to: string) {
    step();
    await systemDisk.move(from, to);
    step();
  },
};

const store = await migrateFolder(folder!, disk);
await store.close();
const database = new DatabaseSync(join(folder!, 'log.db'));
migrateLog(database);
database.close();
process.stdout.write(`${steps}\n`);
