/**
 * What the journal must have on disk before it may leave the state database.
 *
 * A settled row stays in `settled` until its journal row is durable, and its message with it. Of
 * messages that stay, a mark in the database says up to which key all are in the journal; what lies
 * above is told again at the next start (the journal knows a message by its id). What the ledger may
 * bring back after a crash is known by its row, so that row stays until the ledger knows better.
 *
 * Of nodes that share a database each has a log, a mark and a range of numbers of its own. The message
 * row leaves with the node that ends its last recipient; a log that has such an end has the message as well.
 */
import type { MessageRow, RecipientRow } from '../../journal/contract.ts';
import type { Statement } from '../../store/contract.ts';
import { AWAITING_JOURNAL, PURGED_PER_UNIT } from '../limits.ts';
import { FIRST_NODE, markOf, seqsOf } from '../model/nodes.ts';
import type { NodeParts } from '../parts.ts';
import { type QueueStatements, rowsOf } from '../rows/statements.ts';
import type { MessageRow as QueuedMessage, SettledRow } from '../rows/tables.ts';
import { keepTrying } from '../settle/keep-trying.ts';
import { loggedMessageOf } from './records.ts';

export interface Journaling {
  /** The next number of the table `settled`; rows must reach the database in this order. */
  nextSeq(): number;
  /** A message is about to be committed: the mark stays below it until `message` or `dropped` is called. */
  expected(key: number): void;
  message(key: number, logged: MessageRow): void;
  dropped(key: number): void;
  /** A message of another node, before what this node did to it: its row leaves with what this log has. */
  foreign(logged: MessageRow): void;
  /** `lastOf`: the message whose last row this was. */
  settled(seq: number, logged: RecipientRow, lastOf: number | undefined): void;
  /** A change that is no end: told, and not waited for. */
  changed(logged: RecipientRow): void;
  /** Takes the mark below a key whose row is about to be written; undefined when it is. */
  lowerMark(key: number): Statement | undefined;
  /** Its rows are about to be written, and the ledger has its note still: until `landed` its message row stays. */
  spills(key: number): void;
  landed(key: number): void;
  /** Reads rows of `settled` that are not in memory, as after a start. */
  reload(): Promise<number>;
  stop(): void;
}

interface Awaiting {
  readonly seq: number;
  readonly number: number;
  readonly lastOf: number | undefined;
}

export function createJournaling(
  parts: NodeParts,
  sql: QueueStatements,
  start: { readonly seq: number; readonly mark: number },
): Journaling {
  const { database, journal, isForeign, sharedAs: node = FIRST_NODE } = parts;
  const { from, to } = seqsOf(node);
  const name = markOf(node);
  const messages = new Map<number, number>();
  const coming = new Set<number>();
  const noted = new Set<number>();
  let awaiting: Awaiting[] = [];
  let { seq, mark } = start;
  /** Below `mark`, in the database: rows came late. */
  let isLowered = false;
  let highestMessage = mark;
  /** Rows above `loadedUpTo` are in the table only, while `spilled`. */
  let loadedUpTo = from;
  let settledUpTo = seq;
  let spilled = seq > from;
  let purging = false;
  /** Somebody asked for it since it last began. */
  let asked = false;

  const reload = async (): Promise<number> => {
    let told = 0;
    while (loadedUpTo < settledUpTo) {
      const rows = rowsOf<SettledRow>(await database.read(sql.settledAbove({ above: loadedUpTo, to })));
      for (const row of rows) {
        if (awaiting.length >= AWAITING_JOURNAL) return told;
        const lastOf = (await isLast(row.message)) ? row.message : undefined;
        if (isForeign(row.message)) await tellForeign(row.message);
        awaiting.push({ seq: row.seq, number: journal.recipient(JSON.parse(row.record)), lastOf });
        loadedUpTo = row.seq;
        told++;
      }
      if (rows.length === 0) break;
    }
    spilled = false;
    return told;
  };

  const isLast = async (message: number): Promise<boolean> =>
    (await database.read(sql.anyOfMessage({ message }))).length === 0;

  const tellForeign = async (message: number): Promise<void> => {
    for (const row of rowsOf<QueuedMessage>(await database.read(sql.message({ message }))))
      journal.message(loggedMessageOf(row));
  };

  const purge = async (): Promise<void> => {
    asked = true;
    if (purging) return;
    purging = true;
    try {
      // What became durable or landed while it ran has nobody else to see to it: no later event may come.
      while (asked) {
        asked = false;
        await purgeUpTo(journal.durable());
        if (spilled && awaiting.length === 0) await reload();
      }
    } finally {
      purging = false;
    }
  };

  const purgeUpTo = async (durable: number): Promise<void> => {
    forgetMessages(messages, durable);
    const mayGo = (one: Awaiting | undefined): boolean =>
      one !== undefined && one.number <= durable && (one.lastOf === undefined || !noted.has(one.lastOf));
    while (mayGo(awaiting[0])) {
      let count = 1;
      while (count < PURGED_PER_UNIT && mayGo(awaiting[count])) count++;
      const unit = purgeUnit(sql, from, awaiting.slice(0, count));
      await keepTrying(parts, 'purge settled rows', () => database.write(unit));
      awaiting = awaiting.slice(count);
    }
    if (journaledUpTo() <= mark && !isLowered) return;
    isLowered = false;
    // Asked anew for each try: what came meanwhile may be below.
    await keepTrying(parts, 'note what the log has', () => {
      mark = Math.max(mark, journaledUpTo());
      return database.write([sql.mark({ name, value: journaledUpTo() })]);
    });
  };

  const journaledUpTo = (): number => {
    let upTo = highestMessage;
    for (const key of messages.keys()) if (key <= upTo) upTo = key - 1;
    for (const key of coming) if (key <= upTo) upTo = key - 1;
    return upTo;
  };

  const purgeAgain = (): void => {
    purge().catch((error: Error) => parts.events.emit('queue.work-failed', { work: 'purge', error: error.message }));
  };
  const detach = journal.onDurable(purgeAgain);

  return {
    nextSeq: () => ++seq,
    expected: (key) => void coming.add(key),
    message(key, record) {
      coming.delete(key);
      if (key > highestMessage) highestMessage = key;
      messages.set(key, journal.message(record));
    },
    dropped: (key) => void coming.delete(key),
    foreign: (logged) => void journal.message(logged),
    settled(number, record, lastOf) {
      settledUpTo = number;
      if (spilled || awaiting.length >= AWAITING_JOURNAL) {
        spilled = true;
        return;
      }
      loadedUpTo = number;
      awaiting.push({ seq: number, number: journal.recipient(record), lastOf });
    },
    changed: (record) => void journal.recipient(record),
    lowerMark(key) {
      if (key > mark) return undefined;
      isLowered = true;
      return sql.lowerMark({ name, value: key - 1 });
    },
    spills: (key) => void noted.add(key),
    landed(key) {
      noted.delete(key);
      // Its row was the one that held up all behind it.
      if (awaiting[0]?.lastOf === key) purgeAgain();
    },
    reload,
    stop: detach,
  };
}

function purgeUnit(sql: QueueStatements, from: number, gone: readonly Awaiting[]): Statement[] {
  const unit = [sql.deleteSettledUpTo({ from, seq: gone.at(-1)!.seq })];
  for (const { lastOf } of gone) if (lastOf !== undefined) unit.push(sql.deleteMessage({ message: lastOf }));
  return unit;
}

/** In the order of their journaling, so the durable ones stand in front. */
function forgetMessages(messages: Map<number, number>, durable: number): void {
  for (const [key, number] of messages) {
    if (number > durable) return;
    messages.delete(key);
  }
}
