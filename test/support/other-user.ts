/**
 * Another user of the machine, for tests that run as root: files of such a user, and programs that run as one.
 * Without root each test is skipped, with the reason.
 */
import { spawnSync } from 'node:child_process';
import { chownSync, lchownSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const NOBODY = 65534;

/** A third one, without an account. */
export const STRANGER = 54321;

export const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] as const;

/** Why other users cannot be imitated; false if they can. */
export const cannotGive: string | false =
  process.getuid?.() === 0 ? false : 'only root can give a file to another user';

export const cannotRunAs: string | false = cannotGive || whyNotRun();

function whyNotRun(): string | false {
  const program = join(import.meta.dirname, '../../bin/postern');
  const { error, status } = spawnSync(AS_NOBODY[0], [...AS_NOBODY.slice(1), 'test', '-r', program]);
  if (error) return 'setpriv is not installed';
  return status === 0 ? false : 'other users cannot read this checkout';
}

export function give(path: string, uid = NOBODY): void {
  chownSync(path, uid, uid);
}

export function plantFile(path: string, text = '', uid = NOBODY): void {
  writeFileSync(path, text);
  give(path, uid);
}

export function plantLink(path: string, target: string, uid = NOBODY): void {
  symlinkSync(target, path);
  lchownSync(path, uid, uid);
}
