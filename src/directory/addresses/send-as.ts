/**
 * The addresses that an account may write as: its own with sub-addresses, aliases that lead to it, and granted ones.
 * A domain's login may write as every address of the domain.
 */
import { type Address, addressKey } from '../../model/address.ts';
import { andThen, type MaybePromise } from '../../model/maybe-promise.ts';
import type { Database } from '../../store/contract.ts';
import { createCache } from '../cache.ts';
import type { Directory } from '../contract.ts';
import { CACHED_ENTRIES } from '../limits.ts';
import { credentialStatements } from '../sign-in/statements.ts';

export interface SenderGrants {
  /** Errors: those of the database. */
  maySendAs(account: string, sender: Address): MaybePromise<'yes' | 'no' | 'cannot-tell'>;
}

export function createSenderGrants(db: Database, directory: Pick<Directory, 'resolve'>): SenderGrants {
  const granted = createCache<ReadonlySet<string>>(CACHED_ENTRIES);
  const { sendAs } = credentialStatements(db.dialect);
  let version = 0;
  db.changes.subscribe(['send_as'], () => {
    version++;
    granted.clear();
  });

  function grantsOf(login: string): MaybePromise<ReadonlySet<string>> {
    const known = granted.get(login);
    if (known) return known;
    const statement = sendAs({ login });
    const startedAt = version;
    return andThen(db.readNow ? db.readNow(statement) : db.read(statement), (rows) => {
      const senders = new Set(rows.map((row) => row['sender'] as string));
      // If grants changed during the read, they are read again.
      if (version === startedAt) granted.set(login, senders);
      return senders;
    });
  }

  return {
    maySendAs(account, sender) {
      if (account.startsWith('@')) return sender.domain === account.slice(1) ? 'yes' : 'no';
      const key = addressKey(sender);
      if (key === account) return 'yes';
      return andThen(grantsOf(account), (grants) => {
        if (grants.has(key) || grants.has(`@${sender.domain}`)) return 'yes';
        return andThen(directory.resolve(sender), (resolution) => {
          if (resolution.kind === 'cannot-tell' || resolution.kind === 'unavailable') return 'cannot-tell';
          if (resolution.kind !== 'local') return 'no';
          if (!resolution.viaAlias) return resolution.account?.address === account ? 'yes' : 'no';
          return resolution.targets.some((target) => addressKey(target) === account) ? 'yes' : 'no';
        });
      });
    },
  };
}
