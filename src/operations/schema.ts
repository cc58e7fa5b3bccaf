/**
 * Audit rows on their way to the log: written in the unit of the change that they describe, so that neither exists
 * without the other, and passed to the journal after it.
 */
import { columns } from '../store/columns.ts';
import type { StoreMigration } from '../store/migration.ts';
import { runMigration } from './runs-schema.ts';

export interface OperationTables {
  /** `record`: JSON of the journal's AuditRecord. */
  audit_outbox: { id: string; record: string };
}

export const operationMigrations: readonly StoreMigration[] = [
  {
    name: '0004-audit-outbox',
    async up(db, dialect) {
      const { text, clustered } = columns(dialect);
      const table = db.schema
        .createTable('audit_outbox')
        .addColumn('id', text, (column) => column.notNull().primaryKey())
        .addColumn('record', text, (column) => column.notNull());
      await clustered(table).execute();
    },
  },
  runMigration,
];
