/**
 * The change bus: what is read of the database and kept in memory is forgotten when a unit changes it,
 * whoever wrote the unit. A unit names its topics by its statements: the topic of a statement is the table
 * that it writes, so none can be left out. A commit publishes them before `write` resolves; whoever keeps
 * what it read subscribes to the tables that it reads.
 *
 * This is the bus of one node. Where several share a database, its store is told by the database what the
 * others committed, and hands it to `hear`: a change carries nothing that another node could not know. What
 * others commit is forgotten a moment later, what this node commits before its `write` resolves. Listeners
 * must not throw.
 */
import { isOperational } from '../model/errors.ts';
import type { Change, Changes, Database, PreparedChange, Row, Statement } from './contract.ts';

export interface ChangeBus extends Changes {
  /** What somebody listens to of what this unit changes; mostly nothing. */
  heardOf(unit: readonly Statement[]): readonly Change[];
  /** Resolves when all who heard are done; undefined: they are. */
  publish(changes: readonly Change[]): Promise<unknown> | undefined;
  /** Another node changed these tables. */
  hear(topics: readonly string[]): void;
}

interface Listener {
  readonly topics: ReadonlySet<string>;
  readonly hear: (changes: readonly Change[]) => void | Promise<void>;
}

const NONE: readonly Change[] = [];

export function createChangeBus(): ChangeBus {
  const listeners = new Set<Listener>();
  /** Of all listeners; a topic stays when its last listener has left. */
  const heard = new Set<string>();
  const publish = (changes: readonly Change[]): Promise<unknown> | undefined => {
    const awaited: Promise<void>[] = [];
    for (const { topics, hear } of listeners) {
      const own = changes.filter(({ topic }) => topics.has(topic));
      const hearing = own.length > 0 ? hear(own) : undefined;
      if (hearing) awaited.push(hearing);
    }
    return awaited.length > 0 ? Promise.all(awaited) : undefined;
  };
  return {
    subscribe(topics, hear) {
      const listener: Listener = { topics: new Set(topics), hear };
      listeners.add(listener);
      for (const topic of topics) heard.add(topic);
      return () => void listeners.delete(listener);
    },
    heardOf(unit) {
      let changes: Change[] | undefined;
      for (const { writes } of unit) {
        if (writes === undefined || !heard.has(writes.topic)) continue;
        changes ??= [];
        changes.push(writes);
      }
      return changes ?? NONE;
    },
    publish,
    hear: (topics) => void publish(topics.map((topic) => ({ topic }))),
  };
}

/** A change after which nothing is to be done but what the bus does. */
export function changeOf(statements: readonly Statement[]): PreparedChange {
  return { statements, committed() {} };
}

/** What is read, and who gets the rows. */
export interface Reading {
  readonly statement: Statement;
  readonly take: (rows: readonly Row[]) => void;
}

/**
 * For what is held in memory whole: hands over the rows again after each change of these tables, at once
 * where the dialect can; there `ofKey` reads a part, if all changes are about one key. What cannot be read
 * then stays as it was, until the next change or start. Returns what ends it.
 */
export function readAgain(
  db: Pick<Database, 'read' | 'readNow' | 'changes'>,
  topics: readonly string[],
  all: Reading,
  ofKey?: (key: string) => Reading,
): () => void {
  /** One after the other; a reading that a later one follows is not handed over, as it may be the older state. */
  let reading: Promise<unknown> = Promise.resolve();
  let last = 0;
  /** Who wrote goes on once what he wrote is in memory, by his own reading or by a later one. */
  const isRead = async (): Promise<void> => {
    for (let waited: Promise<unknown> | undefined; waited !== reading; ) {
      waited = reading;
      await waited;
    }
  };
  return db.changes.subscribe(topics, (changes) => {
    if (!db.readNow) {
      const number = ++last;
      reading = reading
        .then(() => (number === last ? db.read(all.statement) : undefined))
        .then((rows) => rows && number === last && all.take(rows))
        .catch(() => {});
      return isRead();
    }
    const key = changes.every((change) => change.key === changes[0]!.key) ? changes[0]!.key : undefined;
    const { statement, take } = key !== undefined && ofKey ? ofKey(key) : all;
    let rows: readonly Row[];
    try {
      rows = db.readNow(statement);
    } catch {
      return undefined;
    }
    take(rows);
    return undefined;
  });
}

/** Publishes once it is written; also a commit whose outcome is not known, as it may be on disk all the same. */
export async function published<T>(written: Promise<T>, publish: () => Promise<unknown> | undefined): Promise<T> {
  let results: T;
  try {
    results = await written;
  } catch (error) {
    if (isOperational(error, 'store.unavailable')) await publish();
    throw error;
  }
  const hearing = publish();
  if (hearing) await hearing;
  return results;
}
