/**
 * Versions of rows: whoever reads a row and changes it later may say which version they read (`expects`),
 * and is refused if it is another by then, or gone. A version is a digest of the row as it is shown, so it
 * needs no column, and two rows that look the same are the same. It is compared in the act's own turn.
 * Errors: OperationalError `operation.conflict`.
 */
import { createHash } from 'node:crypto';
import { OperationalError } from '../model/errors.ts';

const CHARACTERS = 16;

export function versionOf(row: object | null): string {
  return createHash('sha256').update(JSON.stringify(row)).digest('hex').slice(0, CHARACTERS);
}

export function versioned<R extends object>(row: R): R & { readonly version: string } {
  return { ...row, version: versionOf(row) };
}

/** `version`: undefined where the row is not there. */
export function mustBeExpected(name: string, version: string | undefined, expects: string): void {
  if (version === expects) return;
  throw new OperationalError(
    'operation.conflict',
    `cannot do ${name}, as it must still be version ${expects.slice(0, 100)}: ${version === undefined ? 'it is gone' : `it is ${version}`}; read it again`,
  );
}
