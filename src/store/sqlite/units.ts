/**
 * Units in one durable transaction: what the writer does, in its thread or in the loop.
 *
 * The first run has no savepoints, since a unit that fails is rare and a savepoint copies every page
 * it touches; when one fails, all is rolled back and run again with a savepoint a unit, so that only
 * the failing ones are left out. Nothing is told as done before COMMIT returned, which syncs.
 */
import { statSync } from 'node:fs';
import type { Row, Statement } from '../contract.ts';
import { QUICK_CHECK_BYTES } from '../limits.ts';
import { type Connection, connect } from './connection.ts';
import { type Failure, failureOf, messageOf } from './failure.ts';

export type Unit = readonly Statement[];

/** Per statement: rows, or how many were changed. */
export type StatementOutcome = number | readonly Row[];

export interface UnitFailure {
  readonly failure: 'expectation' | 'constraint' | 'defect';
  readonly said: string;
}

export type UnitOutcome = readonly StatementOutcome[] | UnitFailure;

export type BatchOutcome =
  | { readonly kind: 'committed'; readonly units: readonly UnitOutcome[] }
  | { readonly kind: 'failed'; readonly failure: Exclude<Failure, 'constraint'>; readonly said: string };

export type Reopened =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly said: string };

export function isFailure(outcome: UnitOutcome): outcome is UnitFailure {
  return !Array.isArray(outcome);
}

export interface UnitRunner {
  run(units: readonly Unit[]): BatchOutcome;
  /** Closes, opens again, verifies, and proves with a commit of its own that the disk takes writes. */
  reopen(): Reopened;
  close(): void;
}

export function createUnitRunner(path: string): UnitRunner {
  let connection = connect(path, { readOnly: false });
  return {
    run(units) {
      try {
        const units1 = attempt(connection, units, false);
        return { kind: 'committed', units: units1 ?? attempt(connection, units, true)! };
      } catch (error) {
        rollBack(connection);
        const failure = failureOf(error);
        return { kind: 'failed', failure: failure === 'constraint' ? 'defect' : failure, said: messageOf(error) };
      }
    },
    reopen() {
      try {
        closeQuietly(connection);
        connection = connect(path, { readOnly: false });
        const damage = findDamage(connection, path);
        if (damage) return { kind: 'failed', failure: 'corrupt', said: damage };
        proveWritable(connection);
        return { kind: 'open' };
      } catch (error) {
        rollBack(connection);
        return { kind: 'failed', failure: failureOf(error), said: messageOf(error) };
      }
    },
    close: () => connection.close(),
  };
}

/** Undefined: a unit failed and, without savepoints, took the others with it. */
function attempt(connection: Connection, units: readonly Unit[], guarded: boolean): UnitOutcome[] | undefined {
  const { database } = connection;
  database.exec('begin immediate');
  const outcomes: UnitOutcome[] = [];
  for (const unit of units) {
    // A single statement undoes itself.
    const savepoint = guarded && unit.length > 1;
    if (savepoint) database.exec('savepoint unit');
    const outcome = runUnit(connection, unit);
    if (isFailure(outcome) && !guarded && unit.length > 1) {
      database.exec('rollback');
      return undefined;
    }
    if (savepoint) database.exec(isFailure(outcome) ? 'rollback to unit; release unit' : 'release unit');
    outcomes.push(outcome);
  }
  database.exec('commit');
  return outcomes;
}

function runUnit(connection: Connection, unit: Unit): UnitOutcome {
  const outcomes: StatementOutcome[] = [];
  for (const statement of unit) {
    let outcome: StatementOutcome;
    try {
      outcome = connection.execute(statement);
    } catch (error) {
      const failure = failureOf(error);
      if (failure !== 'constraint' && failure !== 'defect') throw error;
      return { failure, said: messageOf(error) };
    }
    if (statement.expect === 'changed' && (typeof outcome === 'number' ? outcome : outcome.length) === 0)
      return { failure: 'expectation', said: 'a statement that had to change a row changed none' };
    outcomes.push(outcome);
  }
  return outcomes;
}

/** Some failures have rolled back already; a second one must not hide the first. */
function rollBack({ database }: Connection): void {
  try {
    if (database.isOpen && database.isTransaction) database.exec('rollback');
  } catch {
    // The connection is closed and opened anew before it is used again.
  }
}

function closeQuietly(connection: Connection): void {
  try {
    connection.close();
  } catch {
    // A connection that failed may fail to close; its file descriptors go with the process.
  }
}

/** A whole check where the file is small enough, else of the schema; undefined when all is well. */
export function findDamage({ database }: Connection, path: string): string | undefined {
  if (statSync(path).size > QUICK_CHECK_BYTES) {
    database.prepare('select count(*) from sqlite_schema').get();
    return undefined;
  }
  const found = database.prepare('pragma quick_check(3)').all() as { quick_check: string }[];
  const said = found.map((row) => row.quick_check).join('; ');
  return said === 'ok' ? undefined : said;
}

function proveWritable({ database }: Connection): void {
  database.exec('begin immediate; update schema set probes = probes + 1; commit');
}
