/**
 * The keys of rewritten senders (protocol/srs), and their use: an address of ours that stands for a foreign one, and
 * is decoded again when a bounce comes back.
 *
 * Kept open in memory, since every RCPT may need them, and read again when the table changes. A key creates addresses
 * for 30 days and is honoured as long as they are valid.
 */

import type { Address } from '../../model/address.ts';
import { isOperational } from '../../model/errors.ts';
import { makeAddress, parseAddress } from '../../protocol/smtp/address.ts';
import { type SrsReversal, srsForward, srsReverse } from '../../protocol/srs/srs.ts';
import { readAgain } from '../../store/changes.ts';
import type { Database, Row } from '../../store/contract.ts';
import type { Secrets } from '../../store/secrets.ts';
import { prepare } from '../../store/statement.ts';
import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import type { Random } from '../../world/random.ts';
import type { Resolution } from '../contract.ts';
import type { SigningTables, SrsKeyRow } from './schema.ts';

export interface SrsKeys {
  /** The address at `domain` that stands for `sender`. */
  forward(sender: Address, domain: string): Address;
  reverse(local: string): SrsReversal;
  /** Creates the next key when it is due, and drops those whose addresses have all expired. */
  rotate(): Promise<void>;
}

export interface SrsServices {
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly events: Events;
  readonly random: Random;
}

/** Undefined: no rewritten sender. A local part with a wrong hash belongs to nobody. */
export function srsTarget(srs: Pick<SrsKeys, 'reverse'>, { local }: Address): Resolution | undefined {
  if (!/^srs[01][=+-]/i.test(local)) return undefined;
  const reversal = srs.reverse(local);
  if (reversal.kind === 'foreign') return undefined;
  if (reversal.kind !== 'valid') return { kind: 'unknown-user', return: reversal.kind };
  const target = parseAddress(makeAddress(reversal.address.local, reversal.address.domain).text, true);
  return target.ok ? { kind: 'local', targets: [target.value], viaAlias: true } : undefined;
}

const DAY_MS = 86_400_000;
const KEY_BYTES = 32;
/** Bounces come while a peer's queue keeps a message, and vacation replies a little later. */
export const SRS_LIFE_DAYS = 21;
const KEY_DAYS = 30;

/** Creates a first key at the first start. */
export async function openSrsKeys(db: Database, { secrets, clock, events, random }: SrsServices): Promise<SrsKeys> {
  const all = prepare<object, SigningTables>(db.dialect, (query) =>
    query.selectFrom('srs_key').selectAll().orderBy('id', 'desc'),
  );
  const insert = prepare<SrsKeyRow, SigningTables>(db.dialect, (query, p) =>
    query.insertInto('srs_key').values({ id: p('id'), secret: p('secret'), created_at: p('created_at') }),
  );
  const removeBefore = prepare<{ before: number }, SigningTables>(db.dialect, (query, p) =>
    query.deleteFrom('srs_key').where('created_at', '<', p('before')),
  );
  /** The newest first. */
  let keys: readonly Uint8Array[] = [];

  const today = (): number => Math.floor(clock.now() / DAY_MS);
  const follow = (rows: readonly Row[]): readonly SrsKeyRow[] => {
    const read = rows as unknown as readonly SrsKeyRow[];
    keys = read.flatMap(open);
    return read;
  };
  /** After the loss of a key file, the node still starts. */
  const open = ({ id, secret }: SrsKeyRow): readonly Uint8Array[] => {
    const name = `srs/${id}`;
    try {
      return [secrets.open(name, secret)];
    } catch (error) {
      events.emit('signing.secret-unreadable', { name, error: (error as Error).message });
      return [];
    }
  };

  const rotate = async (): Promise<void> => {
    const [newest] = follow(await db.read(all({})));
    const now = clock.now();
    const isOpen = newest !== undefined && open(newest).length > 0;
    if (isOpen && now - newest.created_at < KEY_DAYS * DAY_MS) return;
    const id = (newest?.id ?? 0) + 1;
    const secret = secrets.seal(`srs/${id}`, random.bytes(KEY_BYTES));
    const before = now - (KEY_DAYS + KEY_DAYS + SRS_LIFE_DAYS) * DAY_MS;
    try {
      await db.write([removeBefore({ before }), insert({ id, secret, created_at: now })]);
    } catch (error) {
      // Another node has made it meanwhile: one key is enough.
      if (!isOperational(error, 'store.constraint')) throw error;
    }
    follow(await db.read(all({})));
  };
  readAgain(db, ['srs_key'], { statement: all({}), take: follow });
  await rotate();

  return {
    forward: ({ local, domain: from }, domain) =>
      makeAddress(srsForward({ local, domain: from }, keys[0]!, today()), domain),
    reverse: (local) => srsReverse(local, keys, today(), SRS_LIFE_DAYS),
    rotate,
  };
}
