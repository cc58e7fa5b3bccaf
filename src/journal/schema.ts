/**
 * The tables of log.db.
 *
 * Keys are times: `n` is the millisecond times 2048 plus a counter, so newest first is the order of
 * the table itself, a range of time is a range of keys, every insert goes to the end, and retention
 * deletes from the front. Addresses, subjects and the like are found by terms (terms.ts) in
 * full-text tables of half a million messages each: one merge-sorted index costs a fraction of six
 * B-trees with random keys. Evidence, findings and dialogues lie in compressed blocks. What comes of a
 * message in the moment it is written lies in its own row, later changes in a table of their own.
 */
import type { DatabaseSync } from 'node:sqlite';
import { OperationalError } from '../model/errors.ts';
import { usedBytes } from './size.ts';

/** Version 4 has the tables of 3, and details that share (detail.ts), which a reader of 3 would take for empty. */
export const SCHEMA_VERSION = 4;

const KEYS_PER_MS = 2048;

/** The first key of a millisecond; exact until the year 2109. */
export function firstKey(atMs: number): number {
  return Math.max(0, Math.floor(atMs)) * KEYS_PER_MS;
}

export function keyTime(n: number): number {
  return Math.floor(n / KEYS_PER_MS);
}

/** `counter`: any whole number; keys of one millisecond go round. */
export function keyOf(atMs: number, counter: number): number {
  return firstKey(atMs) + (counter % KEYS_PER_MS);
}

const TABLES = `
  CREATE TABLE messages (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL, session TEXT, direction TEXT NOT NULL, sender TEXT NOT NULL,
    client TEXT, size INTEGER NOT NULL, subject TEXT, header_from TEXT, message_id TEXT, recipients TEXT NOT NULL,
    block INTEGER NOT NULL, line INTEGER NOT NULL, changes TEXT);
  CREATE UNIQUE INDEX messages_id ON messages (id);
  CREATE TABLE changes (
    message TEXT NOT NULL, at INTEGER NOT NULL, recipient TEXT NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (message, at, recipient, state)) WITHOUT ROWID;
  CREATE TABLE sessions (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL, started_at INTEGER NOT NULL, client TEXT NOT NULL, ended_by TEXT NOT NULL,
    accepted INTEGER NOT NULL, block INTEGER NOT NULL, line INTEGER NOT NULL);
  CREATE INDEX sessions_id ON sessions (id);
  CREATE TABLE session_counts (
    n INTEGER PRIMARY KEY, network TEXT NOT NULL, since INTEGER NOT NULL, sessions INTEGER NOT NULL);
  CREATE TABLE audit (
    n INTEGER PRIMARY KEY, actor TEXT NOT NULL, operation TEXT NOT NULL, input TEXT NOT NULL, result TEXT NOT NULL,
    detail TEXT);
  CREATE TABLE blocks (n INTEGER PRIMARY KEY, data BLOB NOT NULL);
  CREATE TABLE partitions (number INTEGER PRIMARY KEY, first INTEGER NOT NULL, messages INTEGER NOT NULL);
  -- Up to where messages are indexed, and the few that came late, with an older key.
  CREATE TABLE indexed (up_to INTEGER NOT NULL);
  CREATE TABLE late (n INTEGER PRIMARY KEY);
  INSERT INTO indexed VALUES (-1);
`;

/** Every printable ASCII character belongs to a term; spaces part terms; terms.ts folds case. */
const TOKEN_CHARACTERS = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** Contentless, without positions or sizes: only which message has which term. */
export function createPartition(db: DatabaseSync, number: number, first: number): void {
  const tokenize = `ascii tokenchars '${TOKEN_CHARACTERS.replaceAll("'", "''")}'`.replaceAll('"', '""');
  db.exec(
    `CREATE VIRTUAL TABLE ${partitionTable(number)} USING fts5(terms, content='', detail=none, columnsize=0, tokenize="${tokenize}")`,
  );
  db.prepare('INSERT INTO partitions (number, first, messages) VALUES (?, ?, 0)').run(number, first);
}

export function partitionTable(number: number): string {
  return `terms_${number}`;
}

/** Of version 1; no row is touched. */
const WITH_CHANGES = 'ALTER TABLE messages ADD COLUMN changes TEXT;';

/**
 * Of version 2; no row is touched. `refused_blocks` hold the details of refused transactions and of sessions
 * without a message, which go before their days where the log is too large: rows refer to them by the
 * number below zero. `held`: the bytes in use when there was no bound yet.
 */
const WITH_BOUND = `
  CREATE TABLE IF NOT EXISTS refused_blocks (n INTEGER PRIMARY KEY, data BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS refusal_counts (
    n INTEGER PRIMARY KEY, network TEXT NOT NULL, since INTEGER NOT NULL, transactions INTEGER NOT NULL,
    recipients INTEGER NOT NULL, replies TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS held (bytes INTEGER NOT NULL);
`;

/** Makes the tables of an empty database, or brings those of an earlier version up to date. Errors: `journal.schema-newer`. */
export function migrate(db: DatabaseSync): void {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version === SCHEMA_VERSION) return;
  if (version > SCHEMA_VERSION) throw schemaNewer(version);
  const held = version === 0 ? 0 : usedBytes(db);
  const step = version === 0 ? TABLES : version === 1 ? WITH_CHANGES : '';
  db.exec(`BEGIN IMMEDIATE; ${step} ${WITH_BOUND} INSERT INTO held SELECT ${held} WHERE NOT EXISTS (SELECT 1 FROM held);
    PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`);
}

export function schemaNewer(version: number): OperationalError {
  return new OperationalError(
    'journal.schema-newer',
    `cannot open log.db, as its schema must be ${SCHEMA_VERSION} or older: current value is ${version}; start the newer Postern that wrote it`,
  );
}
