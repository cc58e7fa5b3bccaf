/**
 * Versions of rows: a client that reads a row and changes it later may send the version it read (`expects`), and is
 * refused if the row has changed or is gone. A version is a digest of the row as it is shown, so it needs no column,
 * and two rows that look the same are the same. It is compared within the act's turn, and the unit of the act fails
 * if the row has changed since: another node has turns of its own.
 * Errors: OperationalError `operation.conflict`.
 */
import { createHash } from 'node:crypto';
import { OperationalError } from '../model/errors.ts';
import type { Statement } from '../store/contract.ts';

const CHARACTERS = 16;

/** How an act knows the row that it changes. */
export interface Versioning<S, I> {
  /** As it is read now; undefined where the row is not there. */
  of(services: S, input: I): Promise<string | undefined>;
  /** What fails with `store.expectation` once the row is no longer what it is now; asked for before `of`. */
  unchanged(services: S, input: I): Promise<readonly Statement[]>;
}

export function versionOf(row: object | null): string {
  return createHash('sha256').update(JSON.stringify(row)).digest('hex').slice(0, CHARACTERS);
}

export function versioned<R extends object>(row: R): R & { readonly version: string } {
  return { ...row, version: versionOf(row) };
}

/** `version`: undefined if the row does not exist. */
export function mustBeExpected(name: string, version: string | undefined, expects: string): void {
  if (version === expects) return;
  throw new OperationalError(
    'operation.conflict',
    `cannot do ${name}, as it must still be version ${expects.slice(0, 100)}: ${version === undefined ? 'it is gone' : `it is ${version}`}; read it again`,
  );
}

/** The row changed while the act was being prepared. */
export function changedMeanwhile(name: string): OperationalError {
  return new OperationalError(
    'operation.conflict',
    `cannot do ${name}, as what it changes must stay as it is meanwhile: it was changed; read it again`,
  );
}
