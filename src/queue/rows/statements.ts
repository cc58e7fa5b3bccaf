/**
 * The queue's SQL, compiled once.
 *
 * States stand in the text as literals, not as parameters: SQLite uses a partial index only where the
 * text itself implies the index's condition.
 */
import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely';
import { type Dialect, prepare } from '../../store/statement.ts';
import { CANDIDATE_ROWS, LIST_ROWS, RECOVERY_ROWS, TIMER_ROWS } from '../limits.ts';
import {
  type ContentOwnerRow,
  type ContentRow,
  MESSAGE_COLUMNS,
  type MessageRow,
  type QueueTables,
  RECIPIENT_COLUMNS,
  type RecipientRow,
  type SettledRow,
} from './tables.ts';

type RowKey = Pick<RecipientRow, 'message' | 'n'>;
type Leased = RowKey & { readonly lease: string };
type Hold = Pick<RecipientRow, 'hold_class' | 'hold_reason' | 'held_until' | 'held_then'>;
type ByMessage = { readonly message: number };
type Builder<P extends object> = Parameters<typeof prepare<P, QueueTables>>[1];

/** `state = 'queued' and lease is null`, as the partial indexes say it. */
export function isWaiting(
  eb: ExpressionBuilder<QueueTables, 'recipient'>,
): ExpressionWrapper<QueueTables, 'recipient', SqlBool> {
  return eb.and([eb('state', '=', sql.lit('queued')), eb('lease', 'is', null)]);
}

/** No recipient waits for the content, and nobody owns it beside them. */
function isUnneeded(
  eb: ExpressionBuilder<QueueTables, 'content'>,
  message: never,
): ExpressionWrapper<QueueTables, 'content', SqlBool> {
  return eb.and([
    eb.not(eb.exists(eb.selectFrom('recipient').select('n').where('recipient.message', '=', message))),
    eb.not(eb.exists(eb.selectFrom('content_owner').select('owner').where('content_owner.message', '=', message))),
  ]);
}

/** Held until a time, and nobody has it in hand; as the partial index says it. */
function isTimed(
  eb: ExpressionBuilder<QueueTables, 'recipient'>,
): ExpressionWrapper<QueueTables, 'recipient', SqlBool> {
  return eb.and([eb('state', '=', sql.lit('held')), eb('lease', 'is', null), eb('held_until', 'is not', null)]);
}

const noHold = { hold_class: null, hold_reason: null, held_until: null, held_then: null } as const;

export type QueueStatements = ReturnType<typeof queueStatements>;

export function queueStatements(dialect: Dialect) {
  const statement = <P extends object>(build: Builder<P>) => prepare<P, QueueTables>(dialect, build);
  const insisting = <P extends object>(build: Builder<P>) =>
    prepare<P, QueueTables>(dialect, build, { expect: 'changed' });
  const all = <C extends string>(names: readonly C[], p: (name: C) => unknown) =>
    Object.fromEntries(names.map((name) => [name, p(name)])) as Record<C, never>;

  return {
    insertMessage: statement<MessageRow>((db, p) => db.insertInto('message').values(all(MESSAGE_COLUMNS, p))),
    insertContent: statement<ContentRow>((db, p) =>
      db.insertInto('content').values({ message: p('message'), bytes: p('bytes'), blob: p('blob') }),
    ),
    insertRecipient: statement<RecipientRow>((db, p) => db.insertInto('recipient').values(all(RECIPIENT_COLUMNS, p))),
    insertSettled: statement<SettledRow>((db, p) =>
      db.insertInto('settled').values({ seq: p('seq'), message: p('message'), record: p('record') }),
    ),

    /** The row ends; fails where the lease was lost. */
    endLeased: insisting<Leased>((db, p) =>
      db
        .deleteFrom('recipient')
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),
    requeueLeased: insisting<Leased & Pick<RecipientRow, 'due' | 'attempts' | 'last'>>((db, p) =>
      db
        .updateTable('recipient')
        .set({ due: p('due'), attempts: p('attempts'), last: p('last'), lease: null, lease_until: null })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),
    holdLeased: insisting<Leased & Hold & Pick<RecipientRow, 'last' | 'attempts'>>((db, p) =>
      db
        .updateTable('recipient')
        .set({
          state: sql.lit('held'),
          hold_class: p('hold_class'),
          hold_reason: p('hold_reason'),
          held_until: p('held_until'),
          held_then: p('held_then'),
          last: p('last'),
          attempts: p('attempts'),
          lease: null,
          lease_until: null,
        })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),
    /** As it was, but held. */
    holdUntried: insisting<Leased & Hold>((db, p) =>
      db
        .updateTable('recipient')
        .set({
          state: sql.lit('held'),
          hold_class: p('hold_class'),
          hold_reason: p('hold_reason'),
          held_until: p('held_until'),
          held_then: p('held_then'),
          lease: null,
          lease_until: null,
        })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),
    /** To be held when its try is over: a crash must not forget it. */
    markHold: statement<Leased & Hold>((db, p) =>
      db
        .updateTable('recipient')
        .set({
          hold_class: p('hold_class'),
          hold_reason: p('hold_reason'),
          held_until: p('held_until'),
          held_then: p('held_then'),
        })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease'))
        .where('state', '=', sql.lit('queued')),
    ),
    /** At a start: the tries that they waited for are over. */
    holdMarked: statement<object>((db) =>
      db
        .updateTable('recipient')
        .set({ state: sql.lit('held'), lease: null, lease_until: null })
        .where('lease', 'is not', null)
        .where('hold_class', 'is not', null)
        .where('state', '=', sql.lit('queued')),
    ),
    /** Given back untried. */
    releaseLeased: statement<Leased>((db, p) =>
      db
        .updateTable('recipient')
        .set({ lease: null, lease_until: null })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),
    renewLease: statement<Leased & { lease_until: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ lease_until: p('lease_until') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),
    takeLease: statement<Leased & { lease_until: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ lease: p('lease'), lease_until: p('lease_until') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where(isWaiting),
    ),
    /** Whatever its state and whoever had it: an operator's word goes first. */
    seize: statement<Leased & { lease_until: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ lease: p('lease'), lease_until: p('lease_until') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n')),
    ),
    retryNow: statement<RowKey & { due: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ due: p('due') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where(isWaiting),
    ),
    /** Its time for trying begins anew: what was held for long must not expire at once. */
    releaseHeld: statement<RowKey & { due: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ ...noHold, state: sql.lit('queued'), due: p('due'), queued_at: p('due') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('state', '=', sql.lit('held'))
        .where('lease', 'is', null),
    ),
    /** Not of what somebody else decides about since. */
    releaseOwn: statement<RowKey & { due: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ ...noHold, state: sql.lit('queued'), due: p('due'), queued_at: p('due') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('state', '=', sql.lit('held'))
        .where('hold_class', '=', sql.lit('user'))
        .where('lease', 'is', null),
    ),
    /** The clock's release: not of what was held anew meanwhile. */
    letGo: statement<RowKey & { due: number; held_until: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ ...noHold, state: sql.lit('queued'), due: p('due'), queued_at: p('due') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where(isTimed)
        .where('held_until', '=', p('held_until')),
    ),
    takeTimed: statement<Leased & { lease_until: number; held_until: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ lease: p('lease'), lease_until: p('lease_until') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where(isTimed)
        .where('held_until', '=', p('held_until')),
    ),
    reclass: statement<RowKey & Pick<RecipientRow, 'hold_class'>>((db, p) =>
      db
        .updateTable('recipient')
        .set({ hold_class: p('hold_class') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('state', '=', sql.lit('held'))
        .where('lease', 'is', null),
    ),
    /** When the clock has something to do. */
    nextHoldEnd: statement<object>((db) =>
      db.selectFrom('recipient').select('held_until').where(isTimed).orderBy('held_until').limit(sql.lit(1)),
    ),
    holdsOver: statement<{ now: number }>((db, p) =>
      db
        .selectFrom('recipient')
        .selectAll()
        .where(isTimed)
        .where('held_until', '<=', p('now'))
        .orderBy('held_until')
        .limit(sql.lit(TIMER_ROWS)),
    ),
    /** Messages of one author, in the order of their keys. */
    messagesOfAuthor: statement<{ author: string; above: number }>((db, p) =>
      db
        .selectFrom('message')
        .select('key')
        .where('author', '=', p('author'))
        .where('key', '>', p('above'))
        .orderBy('key')
        .limit(sql.lit(LIST_ROWS)),
    ),
    /** Of every process start: whoever asks holds the folder, so all others are dead. */
    voidLeases: statement<object>((db) =>
      db.updateTable('recipient').set({ lease: null, lease_until: null }).where('lease', 'is not', null),
    ),

    /** Of two nodes that end the last two recipients, the second waits here and sees what the first did. */
    lockMessage: statement<ByMessage>((db, p) =>
      db
        .updateTable('message')
        .set((eb) => ({ key: eb.ref('key') }))
        .where('key', '=', p('message')),
    ),
    /** The content leaves with the last recipient and the last owner: one change says that this was it. */
    deleteContentIfLast: statement<ByMessage>((db, p) =>
      db
        .deleteFrom('content')
        .where('message', '=', p('message'))
        .where((eb) => isUnneeded(eb, p('message') as never))
        .returning('blob'),
    ),
    /** The unit fails if the content is gone. */
    keepContent: insisting<ContentOwnerRow>((db, p) =>
      db
        .insertInto('content_owner')
        .columns(['message', 'owner'])
        .expression((eb) =>
          eb
            .selectFrom('content')
            .select((e) => [e.ref('message').as('message'), e.cast<string>(e.val(p('owner')), 'text').as('owner')])
            .where('message', '=', p('message')),
        ),
    ),
    releaseContent: statement<ContentOwnerRow>((db, p) =>
      db.deleteFrom('content_owner').where('message', '=', p('message')).where('owner', '=', p('owner')),
    ),
    /** Nothing needs it any more, and the journal has it. */
    deleteMessageIfOver: statement<ByMessage>((db, p) =>
      db
        .deleteFrom('message')
        .where('key', '=', p('message'))
        .where((eb) =>
          eb.and([
            eb.not(eb.exists(eb.selectFrom('content').select('blob').where('content.message', '=', p('message')))),
            eb.not(eb.exists(eb.selectFrom('recipient').select('n').where('recipient.message', '=', p('message')))),
            eb('key', '<=', eb.selectFrom('queue_mark').select('value').where('name', '=', sql.lit('journaled'))),
          ]),
        ),
    ),
    deleteSettledUpTo: statement<{ seq: number }>((db, p) => db.deleteFrom('settled').where('seq', '<=', p('seq'))),
    /** An owner of the content needs the message too. */
    deleteMessage: statement<ByMessage>((db, p) =>
      db
        .deleteFrom('message')
        .where('key', '=', p('message'))
        .where((eb) =>
          eb.not(eb.exists(eb.selectFrom('content').select('blob').where('content.message', '=', p('message')))),
        ),
    ),
    mark: statement<{ value: number }>((db, p) =>
      db
        .updateTable('queue_mark')
        .set({ value: p('value') })
        .where('name', '=', sql.lit('journaled')),
    ),
    lowerMark: statement<{ value: number }>((db, p) =>
      db
        .updateTable('queue_mark')
        .set({ value: p('value') })
        .where('name', '=', sql.lit('journaled'))
        .where('value', '>', p('value')),
    ),
    warnedLeased: insisting<Leased>((db, p) =>
      db
        .updateTable('recipient')
        .set({ warned: 1, lease: null, lease_until: null })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),

    /** The next destination in order that has waiting rows, and when its first is due. */
    nextDestination: statement<{ after: string }>((db, p) =>
      db
        .selectFrom('recipient')
        .select(['destination', 'due'])
        .where(isWaiting)
        .where('destination', '>', p('after'))
        .orderBy('destination')
        .orderBy('due')
        .limit(sql.lit(1)),
    ),
    firstDue: statement<{ destination: string }>((db, p) =>
      db
        .selectFrom('recipient')
        .select('due')
        .where(isWaiting)
        .where('destination', '=', p('destination'))
        .orderBy('due')
        .limit(sql.lit(1)),
    ),
    dueRows: statement<{ destination: string; now: number }>((db, p) =>
      db
        .selectFrom('recipient')
        .selectAll()
        .where(isWaiting)
        .where('destination', '=', p('destination'))
        .where('due', '<=', p('now'))
        .orderBy('due')
        .limit(sql.lit(CANDIDATE_ROWS)),
    ),
    recipients: statement<ByMessage>((db, p) =>
      db.selectFrom('recipient').selectAll().where('message', '=', p('message')).orderBy('n'),
    ),
    message: statement<ByMessage>((db, p) => db.selectFrom('message').selectAll().where('key', '=', p('message'))),
    content: statement<ByMessage>((db, p) => db.selectFrom('content').selectAll().where('message', '=', p('message'))),
    /** Waiting rows that are old: not warned yet, or of either kind. */
    older: statement<{ warned: 0 | 1; before: number }>((db, p) =>
      db
        .selectFrom('recipient')
        .selectAll()
        .where(isWaiting)
        .where('warned', '=', p('warned'))
        .where('queued_at', '<=', p('before'))
        .orderBy('queued_at')
        .limit(sql.lit(TIMER_ROWS)),
    ),

    highest: statement<object>((db) =>
      db.selectNoFrom((eb) => [
        eb
          .selectFrom('message')
          .select((e) => e.fn.max('key').as('key'))
          .as('key'),
        eb
          .selectFrom('settled')
          .select((e) => e.fn.max('seq').as('seq'))
          .as('seq'),
        eb.selectFrom('queue_mark').select('value').where('name', '=', sql.lit('journaled')).as('mark'),
      ]),
    ),
    messagesAbove: statement<{ above: number }>((db, p) =>
      db.selectFrom('message').selectAll().where('key', '>', p('above')).orderBy('key').limit(sql.lit(RECOVERY_ROWS)),
    ),
    settledAbove: statement<{ above: number }>((db, p) =>
      db.selectFrom('settled').selectAll().where('seq', '>', p('above')).orderBy('seq').limit(sql.lit(RECOVERY_ROWS)),
    ),
    anyOfMessage: statement<ByMessage>((db, p) =>
      db.selectFrom('recipient').select('n').where('message', '=', p('message')).limit(sql.lit(1)),
    ),
  };
}

/** Rows of one table, from a reader that knows only SQL values. */
export function rowsOf<T>(rows: readonly unknown[]): readonly T[] {
  return rows as readonly T[];
}
