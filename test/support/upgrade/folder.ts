/** A data folder as one compressed file: what make-folder.ts made, put down again for a test. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { MIGRATIONS } from '../../../src/catalogue.ts';
import { copyLogBeforeMigration } from '../../../src/journal/copy.ts';
import { openStore, type Store } from '../../../src/store/open.ts';
import { systemClock } from '../../../src/world/clock.ts';
import type { Disk } from '../../../src/world/disk.ts';
import { systemRandom } from '../../../src/world/random.ts';
import { recordedEvents } from '../events.ts';

interface PackedFile {
  readonly path: string;
  readonly data: string;
}

/** Locks, sockets and the index of shared memory are of the process that is gone. */
const OF_THE_PROCESS = /(^|\/)(lock\.db.*|.*\.sock|.*-shm)$/;

export function packFolder(folder: string, to: string): number {
  const files: PackedFile[] = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !OF_THE_PROCESS.test(path))
    .sort()
    .map((path) => ({ path, data: readFileSync(join(folder, path)).toString('base64') }));
  const packed = brotliCompressSync(JSON.stringify(files), {
    params: { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_QUALITY]: 9 },
  });
  writeFileSync(to, packed);
  return packed.length;
}

export function unpackFolder(from: string, folder: string): void {
  const files = JSON.parse(brotliDecompressSync(readFileSync(from)).toString()) as readonly PackedFile[];
  for (const { path, data } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, path), Buffer.from(data, 'base64'), { mode: 0o600 });
  }
}

/** Opens its store as a start does: both databases are copied, and state.db is brought up to date. */
export function migrateFolder(folder: string, disk: Disk): Promise<Store> {
  const events = recordedEvents();
  return openStore(folder, {
    clock: systemClock,
    random: systemRandom,
    events,
    writer: 'loop',
    migrations: MIGRATIONS,
    disk,
    beforeChanges: () => copyLogBeforeMigration(join(folder, 'log.db'), events, disk),
  });
}
