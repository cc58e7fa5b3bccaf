/**
 * The shared secret of the Minger server, sealed in the database and open in memory. Errors:
 * OperationalError `directory.invalid`.
 */
import { OperationalError } from '../../model/errors.ts';
import { changeOf, readAgain } from '../../store/changes.ts';
import type { Database, PreparedChange, Row } from '../../store/contract.ts';
import type { Secrets } from '../../store/secrets.ts';
import { prepare } from '../../store/statement.ts';
import type { CredentialTables } from './schema.ts';

export interface MingerSecret {
  /** Undefined: none is set, or it cannot be opened any more. */
  current(): string | undefined;
  /** The empty secret removes it. */
  set(secret: string): PreparedChange;
}

const NAME = 'minger/server';
/** The draft, section 3: 1*50(VCHAR), and at least 128 bits; the reference asks for 16 characters. */
const SECRET = /^[\x21-\x7e]{16,50}$/;

export async function openMingerSecret(db: Database, secrets: Secrets): Promise<MingerSecret> {
  const find = prepare<{ name: string }, CredentialTables>(db.dialect, (query, p) =>
    query.selectFrom('kept_secret').select('sealed').where('name', '=', p('name')),
  );
  const remove = prepare<{ name: string }, CredentialTables>(db.dialect, (query, p) =>
    query.deleteFrom('kept_secret').where('name', '=', p('name')),
  );
  const put = prepare<{ name: string; sealed: string }, CredentialTables>(db.dialect, (query, p) =>
    query.insertInto('kept_secret').values({ name: p('name'), sealed: p('sealed') }),
  );
  let current: string | undefined;
  const follow = ([row]: readonly Row[]): void => {
    current = row && openedOrNone(secrets, row['sealed'] as string);
  };
  follow(await db.read(find({ name: NAME })));
  readAgain(db, ['kept_secret'], { statement: find({ name: NAME }), take: follow });

  return {
    current: () => current,
    set(secret) {
      if (secret !== '' && !SECRET.test(secret))
        throw new OperationalError(
          'directory.invalid',
          'cannot set the Minger secret, as it must be 16 to 50 printable ASCII characters without spaces',
        );
      const statements = [remove({ name: NAME })];
      if (secret !== '') statements.push(put({ name: NAME, sealed: secrets.seal(NAME, Buffer.from(secret)) }));
      return changeOf(statements);
    },
  };
}

/** After the loss of the key file every query is refused until a secret is entered again. */
function openedOrNone(secrets: Secrets, sealed: string): string | undefined {
  try {
    return Buffer.from(secrets.open(NAME, sealed)).toString('utf8');
  } catch {
    return undefined;
  }
}
