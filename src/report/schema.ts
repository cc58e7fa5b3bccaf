/** The tables of reports. Days are whole days since the epoch, in UTC. */
import { columns } from '../store/columns.ts';
import type { StoreMigration } from '../store/migration.ts';

export interface ReportTables {
  /** A policy domain that mail came from that day; deleted once its report is written. */
  dmarc_day: {
    day: number;
    domain: string;
    /** JSON of the latest record. */
    policy: string;
    /** Messages that were counted in no row, as there were too many rows. */
    left_out: number;
  };
  dmarc_row: {
    day: number;
    domain: string;
    /** Digest of `row`. */
    key: string;
    /** JSON of the values that the messages have in common. */
    row: string;
    messages: number;
  };
  /** A received report. */
  incoming_report: {
    id: string;
    kind: 'aggregate' | 'failure' | 'tls' | 'malformed';
    domain: string;
    organisation: string;
    /** The reporter's own id: one report counts once. */
    report_id: string;
    /** Seconds since the epoch; 0 if the report has none. */
    begins: number;
    ends: number;
    /** Milliseconds since the epoch. */
    received_at: number;
    /** The day of reception, for the bound on a day. */
    day: number;
    /** The message that contained it. */
    message: string;
    problem: string | null;
    /** The beginning of an unreadable message. */
    raw: Uint8Array | null;
  };
  incoming_source: {
    report: string;
    n: number;
    domain: string;
    ends: number;
    source: string;
    messages: number;
    disposition: string;
    dkim: string;
    spf: string;
    header_from: string;
    detail: string | null;
  };
}

export const reportMigrations: readonly StoreMigration[] = [
  {
    name: '0021-reports',
    async up(db, dialect) {
      const { integer, text, bytes, clustered } = columns(dialect);
      await clustered(
        db.schema
          .createTable('dmarc_day')
          .addColumn('day', integer, (column) => column.notNull())
          .addColumn('domain', text, (column) => column.notNull())
          .addColumn('policy', text, (column) => column.notNull())
          .addColumn('left_out', integer, (column) => column.notNull())
          .addPrimaryKeyConstraint('dmarc_day_key', ['day', 'domain']),
      ).execute();
      await clustered(
        db.schema
          .createTable('dmarc_row')
          .addColumn('day', integer, (column) => column.notNull())
          .addColumn('domain', text, (column) => column.notNull())
          .addColumn('key', text, (column) => column.notNull())
          .addColumn('row', text, (column) => column.notNull())
          .addColumn('messages', integer, (column) => column.notNull())
          .addPrimaryKeyConstraint('dmarc_row_key', ['day', 'domain', 'key']),
      ).execute();
      await clustered(
        db.schema
          .createTable('incoming_report')
          .addColumn('id', text, (column) => column.notNull().primaryKey())
          .addColumn('kind', text, (column) => column.notNull())
          .addColumn('domain', text, (column) => column.notNull())
          .addColumn('organisation', text, (column) => column.notNull())
          .addColumn('report_id', text, (column) => column.notNull())
          .addColumn('begins', integer, (column) => column.notNull())
          .addColumn('ends', integer, (column) => column.notNull())
          .addColumn('received_at', integer, (column) => column.notNull())
          .addColumn('day', integer, (column) => column.notNull())
          .addColumn('message', text, (column) => column.notNull())
          .addColumn('problem', text)
          .addColumn('raw', bytes)
          .addUniqueConstraint('incoming_report_once', ['domain', 'kind', 'organisation', 'report_id']),
      ).execute();
      await db.schema.createIndex('incoming_report_day').on('incoming_report').columns(['domain', 'day']).execute();
      await db.schema.createIndex('incoming_report_age').on('incoming_report').columns(['received_at']).execute();
      await clustered(
        db.schema
          .createTable('incoming_source')
          .addColumn('report', text, (column) => column.notNull())
          .addColumn('n', integer, (column) => column.notNull())
          .addColumn('domain', text, (column) => column.notNull())
          .addColumn('ends', integer, (column) => column.notNull())
          .addColumn('source', text, (column) => column.notNull())
          .addColumn('messages', integer, (column) => column.notNull())
          .addColumn('disposition', text, (column) => column.notNull())
          .addColumn('dkim', text, (column) => column.notNull())
          .addColumn('spf', text, (column) => column.notNull())
          .addColumn('header_from', text, (column) => column.notNull())
          .addColumn('detail', text)
          .addPrimaryKeyConstraint('incoming_source_key', ['report', 'n']),
      ).execute();
      await db.schema.createIndex('incoming_source_domain').on('incoming_source').columns(['domain', 'ends']).execute();
    },
  },
];

export const DAY_MS = 24 * 60 * 60_000;

export function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

/** `2026-11-22`. */
export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
