/**
 * A data folder is its owner's alone: first it must be so, then it is closed to readers too.
 *
 * It holds hashes of passwords, mail, keys. If others may write in it, or own a file or a link that we
 * would open, nothing in it is opened (`store.folder`): they could lead us to any file, or have us take
 * theirs for ours. New files are created closed; open ones are closed here, at each start. A folder that
 * holds other things too keeps its mode, as others may need to enter it; Postern's own files and folders
 * in it are closed all the same.
 */
import { chmodSync, closeSync, openSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { OperationalError } from '../model/errors.ts';
import { currentUser, distrustOfFile, distrustOfFolder, mayOthersWrite, modeOf } from '../world/ownership.ts';

const OTHERS = 0o077;
const STICKY = 0o1000;
/** SQLite gives what it keeps beside a database the database's own mode. */
const DATABASE = /^(?:state|log|lock)\.db(?:-wal|-shm|-journal)?$/;
const FOLDERS: readonly string[] = ['content', 'ledger', 'keys', 'tls', 'backups', 'damaged'];
/** Names in it are opened or written over as they are found; elsewhere they are new and drawn at random. */
const LISTED: readonly string[] = ['content', 'ledger', 'keys', 'tls', 'backups'];
/** Not ours to close, but no sign that others use the folder either. */
const NEUTRAL: readonly string[] = ['postern.toml', 'control.sock', 'lost+found'];

/** Errors: OperationalError `store.folder`. `folder` exists. */
export function insistOnOwnFolder(folder: string): void {
  const problem =
    distrustOfFolder(folder) ??
    readdirSync(folder)
      .map((name) => distrustOf(folder, name))
      .find(Boolean);
  if (problem === undefined) return;
  throw new OperationalError('store.folder', `cannot use the data folder ${folder}, as ${problem}`);
}

function distrustOf(folder: string, name: string): string | undefined {
  const path = join(folder, name);
  if (DATABASE.test(name)) return distrustOfFile(path) ?? distrustOfMode(path);
  if (!FOLDERS.includes(name)) return undefined;
  const own = distrustOfFile(path, { sticky: true }) ?? distrustOfMode(path);
  if (own !== undefined || !LISTED.includes(name) || !statSync(path, { throwIfNoEntry: false })?.isDirectory())
    return own;
  for (const entry of readdirSync(path)) {
    const problem = distrustOfFile(join(path, entry), { sticky: true }) ?? distrustOfMode(join(path, entry));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Of what is not this user's: what is, is closed to others in a moment. */
function distrustOfMode(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || found.uid === currentUser() || !mayOthersWrite(found)) return undefined;
  return `nobody but its owner may write to ${path}: its mode is ${modeOf(found)}`;
}

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
  const found: Stats | undefined = statSync(path, { throwIfNoEntry: false });
  // A folder with the sticky bit is made to be shared.
  if (!found || (found.mode & OTHERS) === 0 || found.uid !== process.getuid?.() || (found.mode & STICKY) !== 0) return;
  try {
    chmodSync(path, found.mode & 0o7777 & ~OTHERS);
  } catch {
    // A file system without modes: its mount options decide who may read it.
  }
}
