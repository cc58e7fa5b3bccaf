/**
 * Who else could change a file or a folder before we open it.
 *
 * Each function returns why a path cannot be trusted, as the end of a sentence ("it must ..."), or undefined. This
 * user and root are trusted. A symbolic link is trusted only if it, every further link on its way and its target
 * belong to them: the owner of a link chooses which file is opened. A path that does not exist is trusted. Where the
 * system has no user ids, nothing is checked. Access control lists are not read: their mask shows in the bits of the
 * group.
 */
import { lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LINKS_FOLLOWED } from './limits.ts';

const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
/** In such a folder only the owner of a file removes or replaces it. */
const STICKY = 0o1000;

/** Undefined where the system has none. */
export function currentUser(): number | undefined {
  return process.geteuid?.();
}

/** `further`: another user, trusted as this one is. */
export function isTrustedOwner(uid: number, further?: number): boolean {
  const user = currentUser();
  return user === undefined || uid === user || uid === 0 || uid === further;
}

/**
 * A folder in which nobody else may create, remove or replace files. Its own group may be the process's; a folder
 * that root created for a service may also be writable by any other group of the process (a mounted volume).
 * `sticky`: others may create files in it.
 */
export function distrustOfFolder(path: string, { sticky = false } = {}): string | undefined {
  if (currentUser() === undefined) return undefined;
  const way = follow(path);
  if ('problem' in way) return way.problem;
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || (sticky && (found.mode & STICKY) !== 0)) return undefined;
  if (!mayOthersWrite(found)) return undefined;
  return `nobody but its owner may write in ${path}: its mode is ${modeOf(found)}`;
}

/**
 * A file that nobody else can have put there or can replace. If it is a link, the folder of the target must be as
 * safe as that of the link: SQLite keeps its further files beside the target. `sticky`: as above.
 */
export function distrustOfFile(path: string, { sticky = false } = {}): string | undefined {
  const way = follow(path);
  if ('problem' in way) return way.problem;
  return way.end === path ? undefined : distrustOfFolder(dirname(way.end), { sticky });
}

/** Why the links from this path to its target cannot be trusted. `further`: another owner who may be. */
export function distrustOfLinks(path: string, further?: number): string | undefined {
  const way = follow(path, further);
  return 'problem' in way ? way.problem : undefined;
}

/**
 * Whether another user than its owner may write to it. `ownGroup`: the group of the process, or of the user in
 * question.
 */
export function mayOthersWrite(
  { mode, uid, gid }: Pick<Stats, 'mode' | 'uid' | 'gid'>,
  ownGroup = process.getegid?.(),
): boolean {
  if ((mode & OTHERS_WRITE) !== 0) return true;
  if ((mode & GROUP_WRITES) === 0 || gid === ownGroup) return false;
  return !(uid === 0 && process.getgroups?.().includes(gid));
}

/** The path at the end of the links, which may not exist yet; or why one of the links cannot be trusted. */
function follow(path: string, further?: number): { readonly end: string } | { readonly problem: string } {
  let at = path;
  for (let links = 0; links <= LINKS_FOLLOWED; links++) {
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (!found) return { end: at };
    if (!isTrustedOwner(found.uid, further)) {
      const what = links > 0 || found.isSymbolicLink() ? `${path}, a link, and what it leads to` : path;
      const owner = at === path ? 'its owner is' : `the owner of ${at} is`;
      return {
        problem: `${what} must belong to this user (id ${currentUser()}) or root: ${owner} user id ${found.uid}`,
      };
    }
    if (!found.isSymbolicLink()) return { end: at };
    at = resolve(dirname(at), readlinkSync(at));
  }
  return { problem: `${path} must lead somewhere: there are more than ${LINKS_FOLLOWED} links behind it` };
}

export function modeOf({ mode }: Pick<Stats, 'mode'>): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
