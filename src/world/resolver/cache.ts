/**
 * Answers until their TTL ends: bounded in entries and bytes, the least recently used go first. A returned answer
 * carries the seconds that are left.
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { DNS_LIMITS } from '../limits.ts';
import type { DnsAnswer, RecordType, RecordTypes } from '../resolver.ts';

export type AnyAnswer = DnsAnswer<RecordTypes[RecordType]>;

export interface AnswerCache {
  get(key: string): AnyAnswer | undefined;
  /** `seconds` 0: not cached. */
  put(key: string, answer: AnyAnswer, seconds: number): void;
  clear(): void;
  size(): { readonly entries: number; readonly bytes: number };
}

interface Entry {
  readonly answer: AnyAnswer;
  readonly expiresAt: number;
}

/** The map's slot, the entry and the answer around the records. */
const ENTRY_BYTES = 250;

export function createAnswerCache(
  clock: Clock,
  bounds: { readonly entries: number; readonly bytes: number } = {
    entries: DNS_LIMITS.cacheEntries,
    bytes: DNS_LIMITS.cacheBytes,
  },
): AnswerCache {
  // The clock is injected, so an entry stores its own end.
  const entries = new LRUCache<string, Entry>({ max: bounds.entries, maxSize: bounds.bytes });
  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      const leftMs = entry.expiresAt - clock.monotonic();
      if (leftMs <= 0) {
        entries.delete(key);
        return undefined;
      }
      return entry.answer.kind === 'unknown' ? entry.answer : { ...entry.answer, ttlSeconds: Math.ceil(leftMs / 1000) };
    },
    put(key, answer, seconds) {
      if (seconds <= 0) {
        entries.delete(key);
        return;
      }
      entries.set(key, { answer, expiresAt: clock.monotonic() + seconds * 1000 }, { size: weight(key, answer) });
    },
    clear: () => entries.clear(),
    size: () => ({ entries: entries.size, bytes: entries.calculatedSize }),
  };
}

function weight(key: string, answer: AnyAnswer): number {
  let bytes = ENTRY_BYTES + key.length;
  if (answer.kind === 'found') for (const record of answer.records) bytes += recordBytes(record);
  return bytes;
}

/** A string, an object or a typed array each cost some tens of bytes beside what they hold. */
function recordBytes(record: RecordTypes[RecordType]): number {
  if (typeof record === 'string') return 24 + record.length;
  if ('exchange' in record) return 64 + record.exchange.length;
  if ('data' in record) return 160 + record.data.length;
  let bytes = 32;
  for (const string of record) bytes += 120 + string.length;
  return bytes;
}
