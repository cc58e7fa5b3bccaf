/**
 * What the scheduler, the timers and a start look for.
 */
import { sql } from 'kysely';
import { CANDIDATE_ROWS, RECOVERY_ROWS, TIMER_ROWS } from '../../limits.ts';
import { type ByMessage, isWaiting, type Makers } from './makers.ts';

export function waitingStatements({ statement }: Makers) {
  return {
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
    recipients: statement<ByMessage>((db, p) =>
      db.selectFrom('recipient').selectAll().where('message', '=', p('message')).orderBy('n'),
    ),
    message: statement<ByMessage>((db, p) => db.selectFrom('message').selectAll().where('key', '=', p('message'))),
    messagesAbove: statement<{ above: number }>((db, p) =>
      db.selectFrom('message').selectAll().where('key', '>', p('above')).orderBy('key').limit(sql.lit(RECOVERY_ROWS)),
    ),
    anyOfMessage: statement<ByMessage>((db, p) =>
      db.selectFrom('recipient').select('n').where('message', '=', p('message')).limit(sql.lit(1)),
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
  };
}
