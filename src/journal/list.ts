/** Listings in order of time, newest first: sessions (with those only counted) and audit rows. Synchronous. */
import type { DatabaseSync } from 'node:sqlite';
import { formatCursor, wanted } from './filter.ts';
import { PAGE_ROWS, SESSION_SCAN_ROWS } from './limits.ts';
import { keyTime } from './schema.ts';
import type { Page } from './search.ts';

export interface SessionFilter {
  readonly client?: string;
  /** Only sessions that brought no message. */
  readonly idle?: boolean;
  readonly since?: number;
  readonly until?: number;
}

export interface FoundSession {
  /** Null: sessions of that network that were only counted. */
  readonly id: string | null;
  /** Of the end; ISO 8601. */
  readonly time: string;
  /** An address, or a network where counted. */
  readonly client: string;
  readonly end: string;
  readonly messagesAccepted: number;
  readonly count: number;
}

export interface FoundSessions {
  readonly sessions: readonly FoundSession[];
  readonly cursor?: string;
}

type SessionColumns = {
  readonly n: number;
  readonly id: string | null;
  readonly client: string;
  readonly end: string;
  readonly accepted: number;
  readonly count: number;
};

/** Scans by time, a bounded number of rows; a cursor with fewer rows than asked for means: looked no further yet. */
export function listSessions(db: DatabaseSync, filter: SessionFilter, page: Page = {}): FoundSessions {
  const limit = Math.min(Math.max(page.limit ?? 100, 1), PAGE_ROWS);
  const { from, to } = wanted({ since: filter.since, until: filter.until }, page.cursor);
  const rows = db
    .prepare(
      `SELECT n, id, client, ended_by AS "end", accepted, 1 AS count FROM sessions WHERE n >= ?1 AND n < ?2
       UNION ALL
       SELECT n, NULL, network, 'counted', 0, sessions FROM session_counts WHERE n >= ?1 AND n < ?2
       ORDER BY n DESC LIMIT ${SESSION_SCAN_ROWS}`,
    )
    .iterate(from, to) as Iterable<unknown> as Iterable<SessionColumns>;
  const sessions: FoundSession[] = [];
  let scanned = 0;
  let last = 0;
  for (const row of rows) {
    scanned++;
    last = row.n;
    if (filter.client !== undefined && row.client !== filter.client) continue;
    if (filter.idle && row.accepted > 0) continue;
    sessions.push(foundSession(row));
    if (sessions.length === limit) break;
  }
  const more = sessions.length === limit || scanned === SESSION_SCAN_ROWS;
  return { sessions, ...(more && { cursor: formatCursor(last) }) };
}

function foundSession({ n, id, client, end, accepted, count }: SessionColumns): FoundSession {
  return { id, time: new Date(keyTime(n)).toISOString(), client, end, messagesAccepted: accepted, count };
}

export interface FoundAudit {
  readonly time: string;
  readonly actor: string;
  readonly operation: string;
  readonly input: string;
  readonly result: string;
  readonly detail: string | null;
}

export interface FoundAudits {
  readonly rows: readonly FoundAudit[];
  readonly cursor?: string;
}

export function listAudit(
  db: DatabaseSync,
  filter: { readonly since?: number; readonly until?: number },
  page: Page = {},
): FoundAudits {
  const limit = Math.min(Math.max(page.limit ?? 100, 1), PAGE_ROWS);
  const { from, to } = wanted(filter, page.cursor);
  const found = db
    .prepare('SELECT * FROM audit WHERE n >= ? AND n < ? ORDER BY n DESC LIMIT ?')
    .all(from, to, limit + 1) as unknown as (Omit<FoundAudit, 'time'> & { readonly n: number })[];
  const last = found.length > limit ? found[limit - 1] : undefined;
  return {
    rows: found.slice(0, limit).map(({ n, ...row }) => ({ time: new Date(keyTime(n)).toISOString(), ...row })),
    ...(last && { cursor: formatCursor(last.n) }),
  };
}
