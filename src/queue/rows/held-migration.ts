/**
 * Held mail gets what it is found by, and all queued mail is counted from here on.
 *
 * The rows that are there get their columns in one pass; which check held them is not known of them. The
 * counts are kept by triggers, in the words of each dialect: over PostgreSQL connections add to 16 rows in
 * turns, so that they seldom wait for each other.
 */
import type { Kysely } from 'kysely';
import { type RawBuilder, sql } from 'kysely';
import { columns } from '../../store/columns.ts';
import type { Dialect } from '../../store/statement.ts';

export async function indexHeldMail(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { integer, text } = columns(dialect);
  // Empty until the pass below: a column that is not null needs a default.
  await sql`alter table recipient add column domain text not null default ''`.execute(db);
  await db.schema.alterTable('recipient').addColumn('held_at', integer).execute();
  for (const name of ['held_check', 'held_code', 'held_sender', 'held_sender_domain', 'held_subject'])
    await db.schema.alterTable('recipient').addColumn(name, text).execute();
  await fillRows(db, dialect);
  await createIndexes(db);
  await countRows(db, dialect);
}

/** What stands behind the last `@`, in lower case; all of it where there is none. */
function domainOf(dialect: Dialect, address: RawBuilder<unknown>): RawBuilder<unknown> {
  return dialect === 'postgres'
    ? sql`lower(substring(${address} from '[^@]*$'))`
    : sql`lower(replace(${address}, rtrim(${address}, replace(${address}, '@', '')), ''))`;
}

async function fillRows(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const sender = sql`coalesce(message.reverse_path, '')`;
  const held = (value: RawBuilder<unknown>) => sql`case when recipient.state = 'held' then ${value} end`;
  await sql`
    update recipient set
      domain = case when recipient.direction = 'outbound'
        then ${domainOf(dialect, sender)} else ${domainOf(dialect, sql`recipient.address`)} end,
      held_at = ${held(sql`message.received_at`)},
      held_sender = ${held(sql`lower(${sender})`)},
      held_sender_domain = ${held(domainOf(dialect, sender))},
      held_subject = ${held(sql`lower(substr(coalesce(message.subject, ''), 1, 200))`)}
    from message where message.key = recipient.message`.execute(db);
}

/** Each in the order of arrival within what is asked for. */
async function createIndexes(db: Kysely<unknown>): Promise<void> {
  const indexes: readonly (readonly [name: string, first: RawBuilder<unknown> | undefined, ...behind: string[]])[] = [
    ['recipient_held', undefined, 'message', 'n', 'held_subject'],
    ['recipient_held_class', sql`hold_class`, 'message', 'n'],
    ['recipient_held_address', sql`lower(address)`, 'message', 'n'],
    ['recipient_held_domain', sql`domain`, 'message', 'n', 'hold_class'],
    ['recipient_held_check', sql`held_check`, 'message', 'n', 'held_code'],
    ['recipient_held_sender', sql`held_sender`, 'message', 'n'],
    ['recipient_held_sender_domain', sql`held_sender_domain`, 'message', 'n'],
  ];
  for (const [name, first, ...behind] of indexes) {
    const parts = [...(first ? [first] : []), ...behind.map((column) => sql.ref(column))];
    await sql`create index ${sql.ref(name)} on recipient (${sql.join(parts)}) where state = 'held'`.execute(db);
  }
}

async function countRows(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { integer, text, clustered } = columns(dialect);
  await clustered(
    db.schema
      .createTable('queue_count')
      .addColumn('domain', text, (column) => column.notNull())
      .addColumn('state', text, (column) => column.notNull())
      .addColumn('class', text, (column) => column.notNull())
      .addColumn('shard', integer, (column) => column.notNull())
      .addColumn('count', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('queue_count_key', ['domain', 'state', 'class', 'shard']),
  ).execute();
  // The class of a queued row is the mark of a hold to come, which is no class of its own here.
  await sql`
    insert into queue_count (domain, state, class, shard, count)
    select domain, state, case when state = 'held' then coalesce(hold_class, '') else '' end as held_class, 0, count(*)
    from recipient group by domain, state, held_class`.execute(db);
  await (dialect === 'postgres' ? postgresTriggers(db) : sqliteTriggers(db));
}

/** As SQL of both dialects; `row` is `new` or `old`. */
const count = (row: 'new' | 'old', by: 1 | -1, shard: string): string => `
  insert into queue_count (domain, state, class, shard, count)
  values (${row}.domain, ${row}.state, case when ${row}.state = 'held' then coalesce(${row}.hold_class, '') else '' end, ${shard}, ${by})
  on conflict (domain, state, class, shard) do update set count = queue_count.count + (${by});`;

async function sqliteTriggers(db: Kysely<unknown>): Promise<void> {
  const changed =
    'when old.state is not new.state or old.domain is not new.domain or old.hold_class is not new.hold_class';
  const triggers = [
    `create trigger recipient_counted after insert on recipient begin ${count('new', 1, '0')} end`,
    `create trigger recipient_uncounted after delete on recipient begin ${count('old', -1, '0')} end`,
    `create trigger recipient_recounted after update of state, domain, hold_class on recipient ${changed} begin ${count('old', -1, '0')} ${count('new', 1, '0')} end`,
  ];
  for (const trigger of triggers) await sql.raw(trigger).execute(db);
}

async function postgresTriggers(db: Kysely<unknown>): Promise<void> {
  const shard = 'pg_backend_pid() % 16';
  await sql
    .raw(`create function count_recipient() returns trigger language plpgsql as $$ begin
      if TG_OP <> 'INSERT' then ${count('old', -1, shard)} end if;
      if TG_OP <> 'DELETE' then ${count('new', 1, shard)} end if;
      return null; end $$`)
    .execute(db);
  const each = 'for each row execute function count_recipient()';
  await sql.raw(`create trigger recipient_counted after insert or delete on recipient ${each}`).execute(db);
  await sql
    .raw(`create trigger recipient_recounted after update of state, domain, hold_class on recipient for each row
      when (old.state is distinct from new.state or old.domain is distinct from new.domain or old.hold_class is distinct from new.hold_class)
      execute function count_recipient()`)
    .execute(db);
}
