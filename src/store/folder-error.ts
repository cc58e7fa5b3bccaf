/**
 * Why a data folder cannot be opened, told apart by who can mend it: a disk without room or one that
 * fails may be well at the next try (`store.full`, `store.unavailable`); a folder that takes no files of
 * this user will not be (`store.folder`).
 */
import { OperationalError } from '../model/errors.ts';
import { isFull } from './blobs/disk-error.ts';
import { failureOf, isIoError, messageOf } from './sqlite/failure.ts';

/** `cause`: of the file system, or of SQLite. */
export function folderError(folder: string, cause: unknown): OperationalError {
  const said = `it says "${messageOf(cause)}"`;
  if (isFull(cause) || failureOf(cause) === 'full')
    return new OperationalError(
      'store.full',
      `cannot use the data folder, as the disk must have room for what is written in ${folder}: ${said}`,
      { cause },
    );
  if ((cause as NodeJS.ErrnoException).code === 'EIO' || isIoError(cause))
    return new OperationalError(
      'store.unavailable',
      `cannot use the data folder, as the disk under ${folder} must work: ${said}`,
      { cause },
    );
  return new OperationalError(
    'store.folder',
    `cannot use the data folder, as this user must be able to write in ${folder}: ${said}`,
    { cause },
  );
}
