/**
 * The key of decoys (credentials.ts): verifiers for users that do not exist. It stays the same over a restart, or an
 * attacker would notice that salts change.
 *
 * A key that cannot be opened, as after the loss of the key file, is replaced: the node starts, and an event reports
 * it.
 */
import type { Database } from '../../store/contract.ts';
import type { Secrets } from '../../store/secrets.ts';
import type { Events } from '../../world/events.ts';
import type { Random } from '../../world/random.ts';
import type { CredentialStatements } from './statements.ts';

export interface DecoyServices {
  readonly secrets: Secrets;
  readonly random: Random;
  /** Absent: no event reports a lost key. */
  readonly events?: Events | undefined;
}

const NAME = 'scram/decoy';
const KEY_BYTES = 32;

export async function openDecoyKey(
  db: Database,
  statements: CredentialStatements,
  { secrets, random, events }: DecoyServices,
): Promise<Uint8Array> {
  const [row] = await db.read(statements.keptSecret({ name: NAME }));
  if (row) {
    try {
      return secrets.open(NAME, row['sealed'] as string);
    } catch (error) {
      events?.emit('signing.secret-unreadable', { name: NAME, error: (error as Error).message });
    }
  }
  const key = random.bytes(KEY_BYTES);
  await db.write([statements.keepSecret({ name: NAME, sealed: secrets.seal(NAME, key) })]);
  return key;
}
