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

export function createSenderRules(db: Database): SenderRules {
  const entries = prepare<object, RuleTables>(db.dialect, (query) =>
    query.selectFrom('list_entry').selectAll().orderBy('created_at').limit(LIST_ENTRIES),
  );
  const pairs = prepare<object, RuleTables>(db.dialect, (query) =>
    query.selectFrom('ip_shield').selectAll().orderBy('id').limit(SHIELD_PAIRS),
  );
  const lists = kept(db, 'list_entry', entries({}), (rows) => listTable(rows as unknown as ListEntryRow[]));
  const shields = kept(db, 'ip_shield', pairs({}), (rows) => shieldTable(rows.map(toShield)));
  return { lists, shields };
}

export function toShield(row: Row): ShieldRow {
  return { ...(row as unknown as ShieldRow), id: Number(row['id']), created_at: Number(row['created_at']) };
}

/** A read that was under way during a change is not cached. */
function kept<T>(
  db: Database,
  table: string,
  statement: Statement,
  make: (rows: readonly Row[]) => T,
): () => MaybePromise<T> {
  let current: T | undefined;
  let version = 0;
  db.changes.subscribe([table], () => {
    version++;
    current = undefined;
  });
  return () => {
    if (current !== undefined) return current;
    const startedAt = version;
    return andThen(db.readNow ? db.readNow(statement) : db.read(statement), (rows) => {
      const made = make(rows);
      if (version === startedAt) current = made;
      return made;
    });
  };
}
