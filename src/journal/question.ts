/** What a reader asks of log.db, and how it is answered on an open database. */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { LogFilter } from './filter.ts';
import { PAGE_CACHE_KIB } from './limits.ts';
import { type FoundAudits, type FoundSessions, listAudit, listSessions, type SessionFilter } from './list.ts';
import { SCHEMA_VERSION, schemaNewer } from './schema.ts';
import { type FoundMessages, type Page, searchMessages } from './search.ts';
import { type ShownMessage, type ShownSession, showById } from './show.ts';

export type Question =
  | { readonly kind: 'search'; readonly filter: LogFilter; readonly page: Page }
  | { readonly kind: 'show'; readonly id: string }
  | { readonly kind: 'sessions'; readonly filter: SessionFilter; readonly page: Page }
  | {
      readonly kind: 'audit';
      readonly filter: { readonly since?: number; readonly until?: number };
      readonly page: Page;
    };

export interface Answers {
  search: FoundMessages;
  show: ShownMessage | ShownSession | undefined;
  sessions: FoundSessions;
  audit: FoundAudits;
}

const NOTHING: { readonly [K in keyof Answers]: Answers[K] } = {
  search: { messages: [] },
  show: undefined,
  sessions: { sessions: [] },
  audit: { rows: [] },
};

/**
 * Opens the database for this question only: so a file that was set aside is never read on, and no
 * reader keeps the write-ahead log from being folded back. A log that does not exist yet is empty.
 */
export function answer(path: string, question: Question): Answers[keyof Answers] {
  if (!existsSync(path)) return NOTHING[question.kind];
  const db = new DatabaseSync(path, { timeout: 2_000 });
  try {
    // Not opened read-only: after a crash the write-ahead log must be recovered before it can be read.
    db.exec(`PRAGMA query_only = 1; PRAGMA cache_size = -${PAGE_CACHE_KIB}; BEGIN`);
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version === 0) return NOTHING[question.kind];
    if (version > SCHEMA_VERSION) throw schemaNewer(version);
    return ask(db, question);
  } finally {
    db.close();
  }
}

function ask(db: DatabaseSync, question: Question): Answers[keyof Answers] {
  switch (question.kind) {
    case 'search':
      return searchMessages(db, question.filter, question.page);
    case 'show':
      return showById(db, question.id);
    case 'sessions':
      return listSessions(db, question.filter, question.page);
    case 'audit':
      return listAudit(db, question.filter, question.page);
  }
}
