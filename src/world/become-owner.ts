/**
 * Root becomes the owner of a folder, for good: its user id and groups, before anything in it is opened.
 *
 * Files that root creates would stop a node that runs as another user, and a link in the folder could lead root to
 * any file of the machine. Errors: OperationalError `cli.owner` where the system, or the program's own files, do not
 * allow it; nothing was opened then, and the process should end.
 */
import { closeSync, openSync, type Stats } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { OperationalError } from '../model/errors.ts';

/** `process.initgroups` is missing in Node's types. */
const { initgroups } = process as unknown as { initgroups(user: string, extraGroup: number): void };

/** For root's process only. `owner`: from the folder's `stat`. */
export function becomeOwner(folder: string, { uid, gid: folderGroup }: Pick<Stats, 'uid' | 'gid'>): void {
  try {
    const account = accountOf(uid);
    const gid = account?.gid ?? folderGroup;
    process.setgroups!([gid]);
    if (account) initgroups(account.username, gid);
    process.setgid!(gid);
    process.setuid!(uid);
  } catch (cause) {
    if (cause instanceof OperationalError) throw cause;
    throw denied(folder, uid, `the system must allow it: ${(cause as Error).message}`, cause);
  }

  function accountOf(user: number): { readonly username: string; readonly gid: number } | undefined {
    process.seteuid!(user);
    try {
      insistOnReadableProgram(folder, user);
      return userInfo();
    } catch (error) {
      // The user id has no account, as in a container.
      if ((error as NodeJS.ErrnoException).code === 'ERR_SYSTEM_ERROR') return undefined;
      throw error;
    } finally {
      process.seteuid!(0);
    }
  }
}

/** Modules and threads are loaded after this, too, so the new user must be able to read them. */
function insistOnReadableProgram(folder: string, uid: number): void {
  try {
    closeSync(openSync(import.meta.filename, 'r'));
  } catch (cause) {
    throw denied(folder, uid, `that user must be able to read the program in ${dirname(import.meta.dirname)}`, cause);
  }
}

function denied(folder: string, uid: number, why: string, cause: unknown): OperationalError {
  return new OperationalError('cli.owner', `cannot work on ${folder} as its owner (user id ${uid}), as ${why}`, {
    cause,
  });
}
