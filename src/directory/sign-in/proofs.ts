/**
 * The credentials that sessions authenticated with, and whether they are still valid: passwords, app passwords and
 * certificates may have been changed or taken away since. Errors: those of the database.
 */
import { andThen, type MaybePromise } from '../../model/maybe-promise.ts';
import type { Row, Statement } from '../../store/contract.ts';
import type { Proof } from '../../wire/sasl/types.ts';
import type { Login } from './logins.ts';
import type { CredentialStatements } from './statements.ts';

export function passwordOf({ password }: Login): Proof {
  return { kind: 'password', stored: password };
}

/** `now`: asks the database, synchronously if it can. */
export function createProofs(
  { appPasswords, certificate }: CredentialStatements,
  now: (statement: Statement) => MaybePromise<readonly Row[]>,
) {
  return {
    /** `login`: its current state. */
    holds({ login, password }: Login, proof: Proof): MaybePromise<boolean> {
      switch (proof.kind) {
        case 'password':
          return proof.stored === password;
        case 'app-password':
          return andThen(now(appPasswords({ login })), (rows) => rows.some((row) => row['digest'] === proof.digest));
        case 'certificate':
          return andThen(now(certificate({ fingerprint: proof.fingerprint })), ([row]) => row?.['login'] === login);
      }
    },
  };
}
