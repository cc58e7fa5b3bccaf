/** Counts of queued mail, as triggers keep them (held-migration.ts). */
import { sql } from 'kysely';
import type { Makers } from './makers.ts';

export function countStatements({ statement }: Makers) {
  return {
    countsByState: statement<object>((db) =>
      db
        .selectFrom('queue_count')
        .select([
          sql<number>`sum(case when state = 'queued' then count else 0 end)`.as('queued'),
          sql<number>`sum(case when state = 'held' then count else 0 end)`.as('held'),
        ]),
    ),
    /** At a start: senders' domains come and go, and each leaves a row. */
    forgetEmptyCounts: statement<object>((db) => db.deleteFrom('queue_count').where('count', '=', sql.lit(0))),
  };
}
