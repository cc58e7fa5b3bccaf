/**
 * The queue's tables.
 *
 * `recipient` holds active rows only; a row that ends moves to `settled`, where it stays until the
 * journal has it on disk. `content` is apart from `message`, so that the bytes leave with the last
 * recipient while the journal detail still waits for the journal. The partial indexes know only rows that
 * wait: a message that is delivered at once never touches them. `content_owner` names who needs the
 * content beside the recipients (owners.ts). `variant` and its `splice`s go with the last recipient that
 * has the variant.
 */
import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { columns } from '../../store/columns.ts';
import type { StoreMigration } from '../../store/migration.ts';
import type { Dialect } from '../../store/statement.ts';
import { indexHeldMail } from './held-migration.ts';

export const queueMigrations: readonly StoreMigration[] = [
  { name: '0001-queue', up: createTables },
  {
    name: '0010-message-author',
    async up(db, dialect) {
      await db.schema.alterTable('message').addColumn('author', columns(dialect).text).execute();
    },
  },
  {
    name: '0037-ledger',
    // An older node would not find the messages that lie there.
    minReader: 37,
    up: async () => {},
  },
  {
    name: '0046-timed-holds',
    // An older node would let go of nothing in time, and writes rows without the columns.
    minReader: 46,
    async up(db, dialect) {
      const { integer, text } = columns(dialect);
      await db.schema.alterTable('recipient').addColumn('held_until', integer).execute();
      await db.schema.alterTable('recipient').addColumn('held_then', text).execute();
      const timed = sql<boolean>`state = 'held' and lease is null and held_until is not null`;
      await db.schema.createIndex('recipient_held_until').on('recipient').column('held_until').where(timed).execute();
      const ours = sql<boolean>`author is not null`;
      await db.schema.createIndex('message_author').on('message').columns(['author', 'key']).where(ours).execute();
    },
  },
  {
    name: '0052-content-owners',
    // An older node would delete what others own.
    minReader: 52,
    async up(db, dialect) {
      const { integer, text, clustered } = columns(dialect);
      await clustered(
        db.schema
          .createTable('content_owner')
          .addColumn('message', integer, (column) => column.notNull())
          .addColumn('owner', text, (column) => column.notNull())
          .addPrimaryKeyConstraint('content_owner_key', ['message', 'owner']),
      ).execute();
    },
  },
  {
    name: '0055-held-index',
    // An older node writes rows without the columns: nobody would find them.
    minReader: 55,
    up: indexHeldMail,
  },
  {
    name: '0056-variants',
    // An older node would send what it delivers without its edits.
    minReader: 56,
    up: moveVariants,
  },
  {
    name: '0057-nodes',
    async up(db, dialect) {
      // A node that has the database to itself never looks for leases that expired: nothing to keep in order.
      if (dialect === 'sqlite') return;
      const leased = sql<boolean>`lease is not null`;
      await db.schema
        .createIndex('recipient_lease_until')
        .on('recipient')
        .column('lease_until')
        .where(leased)
        .execute();
    },
  },
];

/** Equal edits of a message become one row. The column that they leave stays, empty: dropping it would write every row anew. */
async function moveVariants(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { integer, text, bytes, clustered } = columns(dialect);
  await clustered(
    db.schema
      .createTable('variant')
      .addColumn('message', integer, (column) => column.notNull())
      .addColumn('v', integer, (column) => column.notNull())
      .addColumn('edits', text)
      .addPrimaryKeyConstraint('variant_key', ['message', 'v']),
  ).execute();
  await db.schema
    .createTable('splice')
    .addColumn('message', integer, (column) => column.notNull())
    .addColumn('v', integer, (column) => column.notNull())
    .addColumn('n', integer, (column) => column.notNull())
    .addColumn('start', integer, (column) => column.notNull())
    .addColumn('length', integer, (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addColumn('size_bytes', integer, (column) => column.notNull())
    .addColumn('sha256', text, (column) => column.notNull())
    // Before the bytes, so that looking for files need not walk over them.
    .addColumn('blob', text)
    .addColumn('bytes', bytes)
    .addPrimaryKeyConstraint('splice_key', ['message', 'v', 'n'])
    .execute();
  await db.schema.alterTable('recipient').addColumn('variant', integer).execute();
  await sql`insert into variant (message, v, edits)
    select message, min(n), edits from recipient where edits is not null group by message, edits`.execute(db);
  await sql`update recipient
    set variant = (select v from variant where variant.message = recipient.message and variant.edits = recipient.edits),
      edits = null
    where edits is not null`.execute(db);
}

async function createTables(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { integer, text, bytes, clustered } = columns(dialect);
  await db.schema
    .createTable('message')
    .addColumn('key', integer, (column) => column.primaryKey())
    .addColumn('reverse_path', text)
    .addColumn('body', text, (column) => column.notNull())
    .addColumn('smtputf8', integer, (column) => column.notNull())
    .addColumn('ret', text)
    .addColumn('envid', text)
    .addColumn('received_at', integer, (column) => column.notNull())
    .addColumn('size_bytes', integer, (column) => column.notNull())
    .addColumn('sha256', text, (column) => column.notNull())
    .addColumn('session', text)
    .addColumn('client_address', text)
    .addColumn('forged', integer, (column) => column.notNull())
    .addColumn('trace', text, (column) => column.notNull())
    .addColumn('direction', text, (column) => column.notNull())
    .addColumn('subject', text)
    .addColumn('header_from', text)
    .addColumn('message_id', text)
    .addColumn('recipients', text, (column) => column.notNull())
    .addColumn('trail', text, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('content')
    .addColumn('message', integer, (column) => column.primaryKey())
    // Before the bytes, so that looking for files need not walk over them.
    .addColumn('blob', text)
    .addColumn('bytes', bytes)
    .execute();
  await clustered(
    db.schema
      .createTable('recipient')
      .addColumn('message', integer, (column) => column.notNull())
      .addColumn('n', integer, (column) => column.notNull())
      .addColumn('address', text, (column) => column.notNull())
      .addColumn('original', text)
      .addColumn('notify', text)
      .addColumn('orcpt', text)
      .addColumn('direction', text, (column) => column.notNull())
      .addColumn('destination', text, (column) => column.notNull())
      .addColumn('edits', text)
      .addColumn('state', text, (column) => column.notNull())
      .addColumn('hold_class', text)
      .addColumn('hold_reason', text)
      .addColumn('queued_at', integer, (column) => column.notNull())
      .addColumn('due', integer, (column) => column.notNull())
      .addColumn('attempts', integer, (column) => column.notNull())
      .addColumn('warned', integer, (column) => column.notNull())
      .addColumn('lease', text)
      .addColumn('lease_until', integer)
      .addColumn('last', text)
      .addPrimaryKeyConstraint('recipient_key', ['message', 'n']),
  ).execute();
  const waiting = sql<boolean>`state = 'queued' and lease is null`;
  await db.schema.createIndex('recipient_due').on('recipient').columns(['destination', 'due']).where(waiting).execute();
  await db.schema
    .createIndex('recipient_age')
    .on('recipient')
    .columns(['warned', 'queued_at'])
    .where(waiting)
    .execute();
  await db.schema
    .createTable('settled')
    .addColumn('seq', integer, (column) => column.primaryKey())
    .addColumn('message', integer, (column) => column.notNull())
    .addColumn('record', text, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('queue_mark')
    .addColumn('name', text, (column) => column.primaryKey())
    .addColumn('value', integer, (column) => column.notNull())
    .execute();
  await sql`insert into queue_mark (name, value) values ('journaled', 0)`.execute(db);
}
