/**
 * Changes of recipients, as the log keeps them: those that came together with their message in its own
 * row, as JSON, later ones as rows of `changes`. What was journaled again after a crash may be in both.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { RecipientDetail, RecipientRow } from './record.ts';

export interface StoredChange extends RecipientDetail {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly recipient: string;
  readonly state: string;
}

/** One element of the column `messages.changes`. */
type ChangeTuple = readonly [at: number, recipient: string, state: string, detail: RecipientDetail];

export function changeText([, , recipient, at, state, detail]: RecipientRow): string {
  return `[${at},${JSON.stringify(recipient)},${JSON.stringify(state)},${detail}]`;
}

interface ChangedMessage {
  readonly id: string;
  /** Absent where the log is still of version 1. */
  readonly changes?: string | null;
}

/** Prepared once for many messages; of each, in order of time. */
export function changesOf(db: DatabaseSync): (message: ChangedMessage) => readonly StoredChange[] {
  const later = db.prepare('SELECT at, recipient, state, detail FROM changes WHERE message = ? ORDER BY at');
  return ({ id, changes: text }) => {
    const together = text ? (JSON.parse(text) as ChangeTuple[]) : [];
    const found = together.map(([at, recipient, state, detail]): StoredChange => ({ at, recipient, state, ...detail }));
    const rows = later.all(id) as unknown as { at: number; recipient: string; state: string; detail: string }[];
    for (const { at, recipient, state, detail } of rows) {
      if (found.some((one) => one.at === at && one.recipient === recipient && one.state === state)) continue;
      found.push({ at, recipient, state, ...(JSON.parse(detail) as RecipientDetail) });
    }
    return found.sort((a, b) => a.at - b.at);
  };
}
