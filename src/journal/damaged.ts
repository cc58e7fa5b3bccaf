/** Sets a damaged log.db aside, with its write-ahead log, into the folder `damaged` beside it. */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Returns where the database went. Throws what the file system throws. */
export function setAside(path: string, nowMs: number): string {
  const folder = join(dirname(path), 'damaged');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stamp = new Date(nowMs).toISOString().replaceAll(':', '').replace('.', '');
  const target = freeName(join(folder, `${basename(path)}.${stamp}`));
  for (const suffix of ['-wal', '-shm', '']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  }
  return target;
}

function freeName(wanted: string): string {
  if (!existsSync(wanted)) return wanted;
  for (let copy = 2; ; copy++) if (!existsSync(`${wanted}.${copy}`)) return `${wanted}.${copy}`;
}
