/**
 * Closes a data folder to everybody but its owner, whoever made it and under whatever umask.
 *
 * What stands in it: hashes of passwords, mail, keys. New files are made closed; those that were open
 * are closed here, at each start. A folder that holds other things too keeps its mode, as it may be
 * others' way to them; Postern's own files and folders in it are closed all the same. What belongs to
 * somebody else is left alone.
 */
import { chmodSync, closeSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const OTHERS = 0o077;
const STICKY = 0o1000;
/** SQLite gives what it keeps beside a database the database's own mode. */
const DATABASE = /^(?:state|log|lock)\.db(?:-wal|-shm|-journal)?$/;
const FOLDERS: readonly string[] = ['content', 'ledger', 'keys', 'tls', 'backups', 'damaged'];
/** Not ours to close, but no sign that others use the folder either. */
const NEUTRAL: readonly string[] = ['postern.toml', 'control.sock', 'lost+found'];

export function closeToOthers(folder: string): void {
  const names = readdirSync(folder);
  const isOurs = (name: string): boolean => DATABASE.test(name) || FOLDERS.includes(name);
  if (names.every((name) => isOurs(name) || NEUTRAL.includes(name))) close(folder);
  for (const name of names) if (isOurs(name)) close(join(folder, name));
}

/** A database that is not there yet: empty, and its owner's alone. */
export function makeClosed(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
}

function close(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  // A folder with the sticky bit is made to be shared.
  if (!found || (found.mode & OTHERS) === 0 || found.uid !== process.getuid?.() || (found.mode & STICKY) !== 0) return;
  try {
    chmodSync(path, found.mode & 0o7777 & ~OTHERS);
  } catch {
    // A file system without modes: whoever mounts it says who may read it.
  }
}
