/** What SQLite's result codes mean to whoever waits for a write (https://www.sqlite.org/rescode.html). */
import { OperationalError } from '../../model/errors.ts';

export type Failure =
  /** This statement only. */
  | 'constraint'
  /** No room on the disk. */
  | 'full'
  /** Someone else holds the database. */
  | 'busy'
  /** The disk or the file failed: nothing may be written before it was opened anew and verified. */
  | 'broken'
  /** The file itself is damaged. */
  | 'corrupt'
  /** Not SQLite's doing, or a mistake in a statement. */
  | 'defect';

const BY_PRIMARY_CODE: Readonly<Record<number, Failure>> = {
  5: 'busy',
  6: 'busy',
  8: 'broken', // READONLY
  10: 'broken', // IOERR, failed fsyncs among them
  11: 'corrupt',
  13: 'full',
  14: 'broken', // CANTOPEN
  15: 'busy', // PROTOCOL
  19: 'constraint',
  26: 'corrupt', // NOTADB
};

const IOERR = 10;
/** PERM, READONLY, CANTOPEN: files may not be opened or written. */
const DENIED = [3, 8, 14];

export function failureOf(error: unknown): Failure {
  return BY_PRIMARY_CODE[primaryCode(error) ?? -1] ?? 'defect';
}

export function isIoError(error: unknown): boolean {
  return primaryCode(error) === IOERR;
}

/** Whether it is the folder's doing, not the file's. */
export function isDenied(error: unknown): boolean {
  return DENIED.includes(primaryCode(error) ?? -1);
}

function primaryCode(error: unknown): number | undefined {
  const errcode = (error as { errcode?: unknown }).errcode;
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The file at this path is damaged: which one, and what to do. `did` completes "cannot ...". */
export function corruptError(did: 'open' | 'use', path: string, said: string): OperationalError {
  return new OperationalError(
    'store.corrupt',
    `cannot ${did} ${path}, as it must be in order: SQLite says "${said}". It was left as it is: restore a backup from the folder "backups", or save what can be read with "sqlite3 ${path} .recover", then start again`,
  );
}

/** The error that rooms see. `what` completes "cannot ...". */
export function storeError(failure: Failure, what: string, said: string, path: string): Error {
  switch (failure) {
    case 'full':
      return new OperationalError('store.full', `cannot ${what}, as the disk must have room: SQLite says "${said}"`);
    case 'constraint':
      return new OperationalError('store.constraint', `cannot ${what}, as a row must be unique: SQLite says "${said}"`);
    case 'defect':
      return new Error(`cannot ${what}: ${said}`);
    case 'corrupt': {
      // To who serves mail it is as a disk that fails: asked again, and answered 451. A start ends by its cause.
      const cause = corruptError('use', path, said);
      return new OperationalError('store.unavailable', cause.message, { cause });
    }
    default:
      return new OperationalError(
        'store.unavailable',
        `cannot ${what}, as the database ${path} must be in order: SQLite says "${said}"`,
      );
  }
}
