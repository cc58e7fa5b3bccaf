/**
 * A small system file that may change under us (resolv.conf, hosts): checked when it is needed, at most every few
 * seconds, and read again when it changed. A file that is missing or unreadable counts as empty, as in the C library;
 * while it is being replaced the last content stays.
 */
import { readFileSync, statSync } from 'node:fs';
import type { Clock } from './clock.ts';
import { REREAD_LIMITS } from './limits.ts';

/** Returns the parsed content; the same object while the file is the same. */
export function rereadFile<T>(path: string, clock: Clock, parse: (text: string) => T): () => T {
  let version: string | undefined;
  let parsed = parse('');
  let lookAgainAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.monotonic();
    if (now < lookAgainAt) return parsed;
    lookAgainAt = now + REREAD_LIMITS.everyMs;
    const seen = versionOf(path);
    if (seen === version) return parsed;
    try {
      parsed = parse(seen === undefined ? '' : readFileSync(path, 'utf8'));
      version = seen;
    } catch {
      // It disappeared between the two calls: the last content stays until the next check.
    }
    return parsed;
  };
}

function versionOf(path: string): string | undefined {
  try {
    const stat = statSync(path);
    const usable = stat.isFile() && stat.size <= REREAD_LIMITS.fileBytes;
    return usable ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : undefined;
  } catch {
    return undefined;
  }
}
