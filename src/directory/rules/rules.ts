/** The operator's rules about senders as screening reads them: all in memory, read again after a change. */
import { andThen, type MaybePromise } from '../../model/maybe-promise.ts';
import type { Database, Row, Statement } from '../../store/contract.ts';
import { prepare } from '../../store/statement.ts';
import { LIST_ENTRIES, SHIELD_PAIRS } from './limits.ts';
import { type ListTable, listTable } from './lists.ts';
import type { ListEntryRow, RuleTables, ShieldRow } from './schema.ts';
import { type ShieldTable, shieldTable } from './shields.ts';

export interface SenderRules {
  /** Errors (both): those of the database. */
  lists(): MaybePromise<ListTable>;
  shields(): MaybePromise<ShieldTable>;
}

export interface OpenSenderRules extends SenderRules {
  /** They have changed: what was read is read again. */
  forget(): void;
}

export function createSenderRules(db: Database): OpenSenderRules {
  const entries = prepare<object, RuleTables>(db.dialect, (query) =>
    query.selectFrom('list_entry').selectAll().orderBy('created_at').limit(LIST_ENTRIES),
  );
  const pairs = prepare<object, RuleTables>(db.dialect, (query) =>
    query.selectFrom('ip_shield').selectAll().orderBy('id').limit(SHIELD_PAIRS),
  );
  const lists = kept(db, entries({}), (rows) => listTable(rows as unknown as ListEntryRow[]));
  const shields = kept(db, pairs({}), (rows) => shieldTable(rows.map(toShield)));
  return {
    lists: lists.read,
    shields: shields.read,
    forget() {
      lists.forget();
      shields.forget();
    },
  };
}

export function toShield(row: Row): ShieldRow {
  return { ...(row as unknown as ShieldRow), id: Number(row['id']), created_at: Number(row['created_at']) };
}

/** A read that was under way during a change is not kept. */
function kept<T>(db: Database, statement: Statement, make: (rows: readonly Row[]) => T) {
  let current: T | undefined;
  let version = 0;
  return {
    read(): MaybePromise<T> {
      if (current !== undefined) return current;
      const startedAt = version;
      return andThen(db.readNow ? db.readNow(statement) : db.read(statement), (rows) => {
        const made = make(rows);
        if (version === startedAt) current = made;
        return made;
      });
    },
    forget() {
      version++;
      current = undefined;
    },
  };
}
