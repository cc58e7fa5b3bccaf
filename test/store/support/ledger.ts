/** A ledger over real files, and what a crash at this moment would leave of it. */

import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { EVENTS } from '../../../src/catalogue.ts';
import type { Ledger, LedgerHold } from '../../../src/store/contract.ts';
import { openLedger } from '../../../src/store/ledger/ledger.ts';
import { createHealth } from '../../../src/store/sqlite/health.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { type Disk, type DiskFile, systemDisk } from '../../../src/world/disk.ts';
import { createEvents } from '../../../src/world/events.ts';
import { systemRandom } from '../../../src/world/random.ts';

export interface TestLedger extends Ledger {
  readonly folder: string;
  readonly told: string[];
  /** Resolves when it is durable. */
  keep(record: Uint8Array, isHeld?: boolean): Promise<LedgerHold>;
  /** What earlier runs left. */
  found(): Promise<Buffer[]>;
  files(): readonly string[];
  bytes(): number;
}

export function emptyFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-ledger-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function openTestLedger(folder: string, disk: Disk = quickDisk()): Promise<TestLedger> {
  const told: string[] = [];
  const events = createEvents(EVENTS, Date.now, (error) => {
    throw error;
  });
  events.attach((name) => told.push(name));
  const health = createHealth('ledger', events, systemClock);
  const ledger = await openLedger({ folder, disk, random: systemRandom, events, health });
  const root = join(folder, 'ledger');
  const files = (): readonly string[] => readdirSync(root).sort();
  return {
    ...ledger,
    folder,
    told,
    keep: (record, isHeld = true) =>
      new Promise((resolve, reject) =>
        ledger.append([record.subarray(0, 3), record.subarray(3)], isHeld, (error, hold) =>
          error ? reject(error) : resolve(hold),
        ),
      ),
    async found() {
      const records: Buffer[] = [];
      await ledger.replay((record) => void records.push(Buffer.from(record)));
      return records;
    },
    files,
    bytes: () => files().reduce((sum, name) => sum + statSync(join(root, name)).size, 0),
  };
}

/** A copy of the folder as it is now. */
export function crash(t: Pick<TestContext, 'after'>, { folder }: { readonly folder: string }): string {
  const copy = emptyFolder(t);
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** What may be made to fail, or to be watched: called before each primitive, with the file's path. */
export type Before = (call: 'create' | 'change' | 'writeAt' | 'syncData' | 'truncate' | 'remove', path: string) => void;

/** The system's disk without waiting for it: these tests lose power only on paper. */
export function quickDisk(before: Before = () => undefined): Disk {
  const watched = (file: DiskFile, path: string): DiskFile => ({
    ...file,
    async writeAt(chunks, position) {
      before('writeAt', path);
      await file.writeAt(chunks, position);
    },
    async syncData() {
      before('syncData', path);
    },
    async truncate(sizeBytes) {
      before('truncate', path);
      await file.truncate(sizeBytes);
    },
  });
  return {
    ...systemDisk,
    async create(path) {
      before('create', path);
      return watched(await systemDisk.create(path), path);
    },
    async change(path) {
      before('change', path);
      return watched(await systemDisk.change(path), path);
    },
    async remove(path) {
      before('remove', path);
      await systemDisk.remove(path);
    },
    syncFolder: async () => undefined,
  };
}

export function diskFailure(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}
