/**
 * If nodes share a database, a clock job runs on one of them at a time: a run has a lease in the database, which is
 * renewed while it lasts and expires if its node dies. Each node has its own timer, and skips the run that another
 * has done since that timer was set: so a job runs as often as with one node, and another node replaces a dead one at
 * its own next time. Errors: those of the database.
 *
 * Times are of the nodes' own clocks: a difference of seconds moves one run, and repeats none at once.
 */
import { columns } from '../store/columns.ts';
import type { Database } from '../store/contract.ts';
import type { StoreMigration } from '../store/migration.ts';
import { type Dialect, prepare } from '../store/statement.ts';
import type { Clock } from '../world/clock.ts';
import { JOB_LEASE_MS } from './limits.ts';

/** `running`: another node runs it now; `done`: another has run it since. */
export type Turn = 'ours' | 'running' | 'done';

export interface JobLeases {
  /** `since`: a run of another node that ended later is enough; absent: only a run of our own. */
  begin(job: string, since?: number): Promise<Turn>;
  /** False: another node has the lease, and runs the job. */
  renew(job: string): Promise<boolean>;
  /** `isDone`: others need not run it for now. */
  end(job: string, isDone: boolean): Promise<void>;
}

interface LeaseRow {
  readonly job: string;
  /** Number and start of the node that has the lease, or had it last. */
  readonly holder: string;
  /** Milliseconds since the epoch; 0: it does not run. */
  readonly until: number;
  /** When a run was last done. */
  readonly done: number;
}

interface LeaseTables {
  readonly job_lease: LeaseRow;
}

export const jobMigrations: readonly StoreMigration[] = [
  {
    name: '0059-job-leases',
    async up(db, dialect) {
      const { integer, text } = columns(dialect);
      await db.schema
        .createTable('job_lease')
        .addColumn('job', text, (column) => column.primaryKey().notNull())
        .addColumn('holder', text, (column) => column.notNull())
        .addColumn('until', integer, (column) => column.notNull())
        .addColumn('done', integer, (column) => column.notNull())
        .execute();
    },
  },
];

export function jobLeaseStatements(dialect: Dialect) {
  return {
    make: prepare<Pick<LeaseRow, 'job'>, LeaseTables>(dialect, (db, p) =>
      db
        .insertInto('job_lease')
        .values({ job: p('job'), holder: '', until: 0, done: 0 })
        .onConflict((conflict) => conflict.column('job').doNothing()),
    ),
    take: prepare<Omit<LeaseRow, 'done'> & { now: number; since: number }, LeaseTables>(dialect, (db, p) =>
      db
        .updateTable('job_lease')
        .set({ holder: p('holder'), until: p('until') })
        .where('job', '=', p('job'))
        .where('until', '<=', p('now'))
        .where('done', '<=', p('since')),
    ),
    renew: prepare<Omit<LeaseRow, 'done'>, LeaseTables>(dialect, (db, p) =>
      db
        .updateTable('job_lease')
        .set({ until: p('until') })
        .where('job', '=', p('job'))
        .where('holder', '=', p('holder'))
        .where('until', '>', 0),
    ),
    end: prepare<Pick<LeaseRow, 'job' | 'holder'>, LeaseTables>(dialect, (db, p) =>
      db.updateTable('job_lease').set({ until: 0 }).where('job', '=', p('job')).where('holder', '=', p('holder')),
    ),
    endDone: prepare<Pick<LeaseRow, 'job' | 'holder' | 'done'>, LeaseTables>(dialect, (db, p) =>
      db
        .updateTable('job_lease')
        .set({ until: 0, done: p('done') })
        .where('job', '=', p('job'))
        .where('holder', '=', p('holder')),
    ),
    lease: prepare<Pick<LeaseRow, 'job'>, LeaseTables>(dialect, (db, p) =>
      db.selectFrom('job_lease').selectAll().where('job', '=', p('job')),
    ),
  };
}

/** `holder`: the node's number and start; two starts of a node are two holders. */
export function createJobLeases(database: Database, holder: string, clock: Clock): JobLeases {
  const sql = jobLeaseStatements(database.dialect);
  const known = new Set<string>();
  return {
    async begin(job, since = Number.MAX_SAFE_INTEGER) {
      if (!known.has(job)) await database.write([sql.make({ job })]);
      known.add(job);
      const now = clock.now();
      const [taken] = await database.write([sql.take({ job, holder, until: now + JOB_LEASE_MS, now, since })]);
      if (taken!.changes === 1) return 'ours';
      const [row] = (await database.read(sql.lease({ job }))) as unknown as readonly LeaseRow[];
      return row!.done > since ? 'done' : 'running';
    },
    async renew(job) {
      const [renewed] = await database.write([sql.renew({ job, holder, until: clock.now() + JOB_LEASE_MS })]);
      return renewed!.changes === 1;
    },
    async end(job, isDone) {
      await database.write([isDone ? sql.endDone({ job, holder, done: clock.now() }) : sql.end({ job, holder })]);
    },
  };
}
