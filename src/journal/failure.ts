/** What a failure of SQLite means for the journal: wait, set the file aside, or leave the records out. */

export type Failure =
  /** Passes by itself, or by somebody's hand: try again. */
  | { readonly kind: 'wait'; readonly reason: 'full' | 'read-only' | 'busy' | 'io' }
  /** The file is no database, or not whole. */
  | { readonly kind: 'damaged' }
  /** Not the database's fault: these records, or this program. */
  | { readonly kind: 'defect' };

/** Primary result codes (sqlite.org/rescode.html). */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

export function classify(error: unknown): Failure {
  const extended = (error as { errcode?: unknown } | null)?.errcode;
  if (typeof extended !== 'number') return { kind: 'defect' };
  switch (extended & 0xff) {
    case BUSY:
    case LOCKED:
      return { kind: 'wait', reason: 'busy' };
    case READONLY:
    case CANTOPEN:
      return { kind: 'wait', reason: 'read-only' };
    case FULL:
      return { kind: 'wait', reason: 'full' };
    case IOERR:
      return { kind: 'wait', reason: 'io' };
    case CORRUPT:
    case NOTADB:
      return { kind: 'damaged' };
    default:
      return { kind: 'defect' };
  }
}
