/**
 * What the scheduler, the timers and a start look for.
 */
import { sql } from 'kysely';
import { CANDIDATE_ROWS, RECOVERY_ROWS, TIMER_ROWS } from '../../limits.ts';
import { UNNUMBERED_MARK } from '../../model/nodes.ts';
import { type ByMessage, isWaiting, type Makers } from './makers.ts';

export function waitingStatements({ statement, dialect }: Makers) {
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
    /**
     * Rows that another node leases at this moment are passed over instead of waited for: the one query that
     * the dialects do not share. The lease itself is a conditional update in both (takeLease).
     */
    dueRows: statement<{ destination: string; now: number }>((db, p) => {
      const due = db
        .selectFrom('recipient')
        .selectAll()
        .where(isWaiting)
        .where('destination', '=', p('destination'))
        .where('due', '<=', p('now'))
        .orderBy('due')
        .limit(sql.lit(CANDIDATE_ROWS));
      return dialect === 'postgres' ? due.forUpdate().skipLocked() : due;
    }),
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
    highest: statement<{ mark: string; from: number; to: number }>((db, p) =>
      db.selectNoFrom((eb) => [
        eb
          .selectFrom('message')
          .select((e) => e.fn.max('key').as('key'))
          .as('key'),
        eb
          .selectFrom('settled')
          .select((e) => e.fn.max('seq').as('seq'))
          .where('seq', '>', p('from'))
          .where('seq', '<=', p('to'))
          .as('seq'),
        eb.selectFrom('queue_mark').select('value').where('name', '=', p('mark')).as('mark'),
        eb.selectFrom('queue_mark').select('value').where('name', '=', sql.lit(UNNUMBERED_MARK)).as('unnumbered'),
      ]),
    ),
  };
}
