/**
 * Searches log.db, newest first: the unindexed tail by scanning, the rest by terms.
 *
 * Synchronous, for the reading thread or an offline command. Runs in one read transaction, so that the
 * tail and the index belong together. Errors: `log.invalid-cursor`, `log.invalid-filter`.
 */
import type { DatabaseSync } from 'node:sqlite';
import { canonicalAddress, networkOf } from '../wire/network.ts';
import { changesOf, type StoredChange } from './changes.ts';
import { formatCursor, type LogFilter, matchExpression, matches, type Wanted, wanted } from './filter.ts';
import { PAGE_ROWS } from './limits.ts';
import { keyTime, partitionTable } from './schema.ts';
import { type LoggedRecipient, messageTerms, TERMED_COLUMNS, type Termed } from './terms.ts';

export interface Page {
  /** Default 100. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface FoundMessage {
  /** As told in `250 2.0.0 queued as`; of a refused message, its own. */
  readonly id: string;
  /** The same, under the name that the queue has for it. */
  readonly messageId: string;
  /** As the sender's program wrote it. */
  readonly messageIdHeader: string | null;
  /** ISO 8601. */
  readonly time: string;
  readonly direction: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string | null;
  /** Of all recipients, or `mixed`. */
  readonly disposition: string;
  readonly client: string | null;
  readonly sizeBytes: number;
  readonly session: string | null;
  /** `state`: the last one recorded; null before the first try. */
  readonly recipients: readonly (LoggedRecipient & { readonly state: string | null })[];
}

/** Transactions of a network that were refused, and only counted, as they were too many. */
export interface CountedRefusals {
  readonly network: string;
  /** ISO 8601, of the first and the last. */
  readonly since: string;
  readonly until: string;
  readonly transactions: number;
  readonly recipients: number;
  /** How often each reply was given: `{"550 5.1.1": 1200}`. */
  readonly replies: Readonly<Record<string, number>>;
}

export interface FoundMessages {
  readonly messages: readonly FoundMessage[];
  /** In the time of this page, newest first; absent where there are none. */
  readonly counted?: readonly CountedRefusals[];
  /** Absent on the last page. */
  readonly cursor?: string;
}

export interface StoredMessage extends Termed {
  readonly n: number;
  readonly id: string;
  readonly session: string | null;
  readonly size: number;
  readonly header_from: string | null;
  readonly block: number;
  readonly line: number;
  readonly changes?: string | null;
}

export function searchMessages(db: DatabaseSync, filter: LogFilter, page: Page = {}): FoundMessages {
  const limit = Math.min(Math.max(page.limit ?? 100, 1), PAGE_ROWS);
  // Whether an id is there is not for everybody to know.
  const want = wanted(filter, filter.domains ? page.cursor : cursorOf(db, page.cursor));
  // One more than asked for tells whether there is a next page.
  const rows = find(db, want, limit + 1);
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  const changes = changesOf(db);
  const counted = countedRefusals(db, filter, { ...want, from: last ? last.n : want.from }, limit);
  return {
    ...(counted.length > 0 && { counted }),
    messages: rows.slice(0, limit).map((row) => foundMessage(row, changes(row))),
    ...(last && { cursor: formatCursor(last.n) }),
  };
}

/** What only some message has, no count can have. */
function countedRefusals(db: DatabaseSync, filter: LogFilter, { from, to }: Wanted, limit: number): CountedRefusals[] {
  const { id, messageId, sender, recipient, subject, client, direction, disposition } = filter;
  // Networks are counted, not domains.
  const isOther = [id, messageId, sender, recipient, subject, filter.domains].some((value) => value !== undefined);
  if (isOther || (direction ?? 'refused') !== 'refused' || !hasCounts(db)) return [];
  if (disposition !== undefined && !/^(refuse|defer)/i.test(disposition.trim())) return [];
  const rows = db
    .prepare(`SELECT * FROM refusal_counts WHERE n >= ? AND n < ? AND ${CLIENT} ORDER BY n DESC LIMIT ?`)
    .all(from, to, ...clientOf(client), limit);
  return (rows as unknown as RefusalCounts[]).map(({ n, network, since, transactions, recipients, replies }) => ({
    network,
    since: new Date(since).toISOString(),
    until: new Date(keyTime(n)).toISOString(),
    transactions,
    recipients,
    replies: JSON.parse(replies) as CountedRefusals['replies'],
  }));
}

interface RefusalCounts {
  readonly n: number;
  readonly network: string;
  readonly since: number;
  readonly transactions: number;
  readonly recipients: number;
  readonly replies: string;
}

const CLIENT = '(? IS NULL OR network = ? OR network = ? OR substr(network, 1, ?) = ?)';

/** An address is found by its network, a beginning by what it begins. */
function clientOf(said: string | undefined): readonly (string | number | null)[] {
  if (said === undefined) return [null, null, null, 0, null];
  const client = said.trim().toLowerCase();
  const beginning = client.endsWith('*') ? client.slice(0, -1) : null;
  return [client, client, networkOf(canonicalAddress(client)), beginning?.length ?? 0, beginning];
}

/** A log of an earlier version that no node has opened since. */
function hasCounts(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'refusal_counts'").get() !== undefined;
}

/** The id of a message is a cursor too: what lies behind it. */
function cursorOf(db: DatabaseSync, said: string | undefined): string | undefined {
  if (said === undefined) return undefined;
  const row = db.prepare('SELECT n FROM messages WHERE id = ?').get(said) as { readonly n: number } | undefined;
  return row ? formatCursor(row.n) : said;
}

const RANGE = 'm.n >= ? AND m.n < ?';

function find(db: DatabaseSync, want: Wanted, count: number): readonly StoredMessage[] {
  if (want.id !== undefined) {
    const row = db.prepare('SELECT * FROM messages m WHERE id = ?').get(want.id) as StoredMessage | undefined;
    return row && row.n >= want.from && row.n < want.to && want.isVisible(row) && matches(want, messageTerms(row))
      ? [row]
      : [];
  }
  if (want.terms.length === 0 && want.anyOf.length === 0) {
    const newest = db.prepare(`SELECT * FROM messages m WHERE ${RANGE} ORDER BY m.n DESC LIMIT ?`);
    return newest.all(want.from, want.to, count) as unknown as StoredMessage[];
  }
  const found = findInTail(db, want, count);
  found.push(...findIndexed(db, want, count));
  return found.sort((a, b) => b.n - a.n).slice(0, count);
}

function findInTail(db: DatabaseSync, want: Wanted, count: number): StoredMessage[] {
  const found: StoredMessage[] = [];
  const whole = db.prepare('SELECT * FROM messages WHERE n = ?');
  const scan = (where: string): void => {
    const tail = db
      .prepare(`SELECT ${TERMED_COLUMNS} FROM messages m WHERE ${where} AND ${RANGE} ORDER BY m.n DESC`)
      .iterate(want.from, want.to) as Iterable<unknown> as Iterable<Termed & { readonly n: number }>;
    const before = found.length;
    for (const row of tail) {
      if (!matches(want, messageTerms(row)) || !want.isVisible(row)) continue;
      found.push(whole.get(row.n) as unknown as StoredMessage);
      if (found.length - before === count) break;
    }
  };
  scan('m.n > (SELECT up_to FROM indexed)');
  scan('m.n IN (SELECT n FROM late)');
  return found;
}

/** Partitions lie in order of time: from the newest back, until there is enough. */
function findIndexed(db: DatabaseSync, want: Wanted, count: number): StoredMessage[] {
  const found: StoredMessage[] = [];
  const expression = matchExpression(want);
  const { oldest } = db.prepare('SELECT coalesce(min(n), 0) AS oldest FROM messages').get() as { oldest: number };
  const from = Math.max(want.from, oldest);
  const partitions = db
    .prepare(
      `SELECT number FROM (SELECT number, first, lead(first) OVER (ORDER BY first, number) AS next FROM partitions)
       WHERE first < ? AND (next IS NULL OR next > ?) ORDER BY first DESC, number DESC`,
    )
    .all(want.to, from) as { number: number }[];
  for (const { number } of partitions) {
    const table = partitionTable(number);
    const rows = db
      .prepare(
        `SELECT m.* FROM ${table} t CROSS JOIN messages m ON m.n = t.rowid
         WHERE ${table} MATCH ? AND t.rowid >= ? AND t.rowid < ? ORDER BY t.rowid DESC`,
      )
      .iterate(expression, from, want.to) as Iterable<unknown> as Iterable<StoredMessage>;
    for (const row of rows) {
      if (want.isVisible(row)) found.push(row);
      if (found.length >= count) break;
    }
    if (found.length >= count) break;
  }
  return found;
}

function foundMessage(row: StoredMessage, changes: readonly StoredChange[]): FoundMessage {
  const recipients = JSON.parse(row.recipients) as LoggedRecipient[];
  const dispositions = new Set(recipients.map(({ disposition }) => disposition));
  const [only = row.direction] = dispositions;
  const states = new Map(changes.map(({ recipient, state }) => [recipient, state]));
  return {
    id: row.id,
    messageId: row.id,
    messageIdHeader: row.message_id,
    time: new Date(keyTime(row.n)).toISOString(),
    direction: row.direction,
    from: row.sender,
    to: recipients.map(({ address }) => address),
    subject: row.subject,
    disposition: dispositions.size > 1 ? 'mixed' : only,
    client: row.client,
    sizeBytes: row.size,
    session: row.session,
    recipients: recipients.map((recipient) => ({ ...recipient, state: states.get(recipient.address) ?? null })),
  };
}
