/**
 * The three seams to a cluster (architecture, section 8): database, blobs, counters.
 *
 * The database's seam is deliberately narrow, so that one writer (a thread over SQLite, a pool over
 * PostgreSQL) can serve every room: a read is one statement; a write is a *unit*, a list of
 * statements that all happen or none do. Units of concurrent callers are grouped into one durable
 * transaction, a savepoint each; when `write` resolves, the unit is on disk. There are no
 * interactive transactions: what must not race is said as a statement's `expect`.
 */
import type { Readable } from 'node:stream';
import type { ContentRef } from '../model/content.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';

export type SqlValue = null | number | bigint | string | Uint8Array;

/** SQL made once by kysely for the dialect (store/statement.ts), with named parameters put in order. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
  /** `changed`: the unit fails with `store.expectation` unless the statement changed at least one row. */
  readonly expect?: 'changed';
  /** Absent: it only reads. */
  readonly writes?: Change;
}

/** What a statement changes: a table (the topic) and, where it is about one row whose key readers know, that key. */
export interface Change {
  readonly topic: string;
  /** Absent: any row of the table. */
  readonly key?: string;
}

/** Hears of commits (store/changes.ts), also of those of other nodes where there are several. */
export interface Changes {
  /**
   * `hear`: called once after each unit that changed any of these tables, with those changes alone, before
   * its `write` resolves, which waits for what `hear` returns; also after a commit whose outcome is not known.
   * Must not throw. Gives what ends it.
   */
  subscribe(topics: readonly string[], hear: (changes: readonly Change[]) => void | Promise<void>): () => void;
}

export type Row = Record<string, SqlValue>;

export interface WriteResult {
  readonly changes: number;
  /** Of statements with RETURNING. */
  readonly rows: readonly Row[];
}

export interface Database {
  readonly dialect: 'sqlite' | 'postgres';
  /** One SELECT. Bounded work only: what may scan goes to `scan`. Errors: OperationalError `store.unavailable`. */
  read(statement: Statement): Promise<readonly Row[]>;
  /** The same at once, where the dialect can (SQLite); undefined where it cannot. */
  readonly readNow?: (statement: Statement) => readonly Row[];
  /** A SELECT that may take long: never on the event loop. */
  scan(statement: Statement): Promise<readonly Row[]>;
  /**
   * Errors: OperationalError `store.expectation` (this unit only), `store.constraint` (this unit only),
   * `store.full` (disk full), `store.unavailable` (failed commit or fsync: all in the group; busy).
   */
  write(unit: readonly Statement[]): Promise<readonly WriteResult[]>;
  readonly changes: Changes;
  close(): Promise<void>;
}

/**
 * A change that is checked and ready, not yet made: whoever writes its statements (perhaps together
 * with those of other changes, in one unit) calls `committed` once they are on disk.
 */
export interface PreparedChange {
  readonly statements: readonly Statement[];
  /** What has to follow beyond forgetting what was read, which the change bus does; never throws. */
  committed(): void;
}

/** Receives a message's bytes; finish or discard must be called. */
export interface Spool {
  readonly sizeBytes: number;
  /** How it begins, as far as it was written and as is worth a look. */
  readonly head: Uint8Array;
  /** False asks the writer to wait for `drained` before the next chunk. Copies the chunk: its memory may be used again. */
  write(chunk: Uint8Array): boolean;
  drained(): Promise<void>;
  /** The content, hashed; durable where its home is a blob, else by its row's own transaction, and then it is there at once. Errors: `store.full`, `store.unavailable`. */
  finish(): MaybePromise<StagedContent>;
  /** Frees everything; never throws. */
  discard(): void;
}

export interface StagedContent extends ContentRef {
  /** `row`: in memory, to be made durable with what tells of the message. `blob`: durable already: file and folder are fsynced. */
  readonly home:
    | { readonly kind: 'row'; readonly pieces: readonly Uint8Array[] }
    | { readonly kind: 'blob'; readonly key: string };
  /**
   * Present where `pieces` are memory that all messages share: to be called once nobody looks at them
   * any more, as the next message will be in them. `discard` does it as well.
   */
  release?(): void;
  discard(): void;
}

export interface Blobs {
  spool(): Spool;
  /** Errors: `content.missing`, `content.corrupt` (size or hash differ), `store.unavailable`. */
  open(key: string, sizeBytes: number, sha256: string): ContentRef;
  delete(key: string): Promise<void>;
  /** Lets go of memory that is kept for the next messages. */
  trim(): void;
  /** Deletes blobs older than `olderThanMs` that `isReferenced` denies. Returns their keys. */
  sweep(
    olderThanMs: number,
    isReferenced: (keys: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<readonly string[]>;
  /** Moves a damaged blob aside (folder `damaged/`), named. */
  setAside(key: string): Promise<void>;
}

/**
 * Who needs a queued message's content beside its recipients: a quarantine, a mailbox, a release that waits.
 * Content and message row stay until the last recipient has ended and every owner has released them.
 * An owner is named by its room and its own key, at most 100 characters: `quarantine:17`.
 */
export interface ContentOwners {
  /**
   * Belongs into the unit of the owner's own rows; the message must have rows, as a held one has, or one that
   * is committed together with other statements. The unit fails with `store.expectation` if the content is
   * gone; naming the same owner twice fails with `store.constraint`.
   */
  keep(message: string, owner: string): readonly Statement[];
  /** Ends the ownership in one unit with the owner's own statements; the file goes with the last. Errors: as of `write`. */
  release(message: string, owner: string, also?: readonly Statement[]): Promise<void>;
  /** The content, for an owner. Errors: `content.missing` if nobody keeps it. */
  open(message: string): Promise<ContentRef>;
}

/** A place in the ledger that somebody still needs. */
export interface LedgerHold {
  readonly number: number;
}

/** Records that are soon over, durable with one write and one sync for all that came meanwhile (store/ledger). One node's own. */
export interface Ledger {
  /**
   * `done` once it is on disk, or with `store.full` or `store.unavailable`; the record's pieces must not
   * change before. `isHeld`: it is to be found again until its hold is released.
   */
  append(
    record: readonly Uint8Array[],
    isHeld: boolean,
    done: (error: Error | undefined, hold: LedgerHold) => void,
  ): void;
  release(hold: LedgerHold): void;
  /** Files in use: how far back the oldest held record lies. */
  segments(): number;
  /** All records of earlier runs, in the order of appending; may be called again until `clear`. */
  replay(visit: (record: Buffer) => void | Promise<void>): Promise<void>;
  /** What earlier runs left is needed no more. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Windows and caches; may be lost by a restart, so nothing that must survive lives only here. */
export interface Counters {
  /** Adds `by` to a sliding window of `windowMs`; returns the sum inside the window. */
  add(key: string, windowMs: number, by?: number): Promise<number>;
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Anything that reads a stream of bytes in order. */
export type ByteStream = Readable;
