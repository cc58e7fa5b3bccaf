/**
 * The audit: who did what. The row of a change is written with it (audit_outbox), then moved to the log; rows left by
 * a crash are moved at the next start. A row may be moved twice, never lost.
 */
import type { AuditRecord } from '../journal/contract.ts';
import type { Statement } from '../store/contract.ts';
import { prepare } from '../store/statement.ts';
import type { Operation } from './define.ts';
import { AUDIT_BATCH, AUDITED_INPUT_CHARACTERS } from './limits.ts';
import type { Actor } from './roles.ts';
import type { OperationTables } from './schema.ts';
import type { OperationServices } from './services.ts';

export interface Audit {
  /** The row to be written with a change; call `moveToLog` after it. */
  row(record: AuditRecord): Statement;
  /** Never throws: a row that could not be moved is moved next time. */
  moveToLog(): Promise<void>;
}

type Services = Pick<OperationServices, 'database' | 'journal' | 'random'>;

export function createAudit({ database, journal, random }: Services): Audit {
  const { dialect } = database;
  const put = prepare<OperationTables['audit_outbox'], OperationTables>(dialect, (db, p) =>
    db.insertInto('audit_outbox').values({ id: p('id'), record: p('record') }),
  );
  const some = prepare<Record<never, never>, OperationTables>(dialect, (db) =>
    db.selectFrom('audit_outbox').selectAll().orderBy('id').limit(AUDIT_BATCH),
  );
  const remove = prepare<{ id: string }, OperationTables>(dialect, (db, p) =>
    db.deleteFrom('audit_outbox').where('id', '=', p('id')),
  );

  async function move(): Promise<void> {
    const rows = (await database.read(some({}))) as unknown as OperationTables['audit_outbox'][];
    if (rows.length === 0) return;
    for (const { record } of rows) journal.audit(JSON.parse(record));
    await journal.flush();
    await database.write(rows.map(({ id }) => remove({ id })));
    if (rows.length === AUDIT_BATCH) await move();
  }

  /** Acts of different topics may end together: one of them moves the rows of both. */
  let moving: Promise<void> = Promise.resolve();

  return {
    row(record) {
      // Ids begin with the time, so that rows are moved in order.
      const id = `${String(record.at).padStart(15, '0')}-${Buffer.from(random.bytes(6)).toString('hex')}`;
      return put({ id, record: JSON.stringify(record) });
    },
    moveToLog() {
      moving = moving.then(move).catch(() => undefined);
      return moving;
    },
  };
}

export function auditRecord(
  operation: Operation<never, unknown>,
  input: unknown,
  actor: Actor,
  at: number,
  outcome: Pick<AuditRecord, 'result' | 'detail'>,
): AuditRecord {
  return {
    at,
    actor: actor.name,
    operation: operation.name,
    input: shownInput(operation, input),
    ...outcome,
  };
}

/** Without secrets, and bounded. */
export function shownInput({ secrets }: Pick<Operation<never, unknown>, 'secrets'>, input: unknown): string {
  const shown = JSON.stringify(input, (key, value) =>
    value !== undefined && secrets.includes(key) ? '(hidden)' : value,
  );
  return (shown ?? '').slice(0, AUDITED_INPUT_CHARACTERS);
}
