/** Queues whose messages go the inline way, and what a crash at this moment leaves of them. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Claim } from '../../../src/queue/contract.ts';
import { DEFERRALS_EVERY_MS } from '../../../src/queue/limits.ts';
import type { Disk, DiskFile } from '../../../src/world/disk.ts';
import { diskFailure, quickDisk } from '../../store/support/ledger.ts';
import { type ManualClock, manualClock } from '../../support/clock.ts';
import {
  message,
  startQueue,
  type TestDispatcher,
  type TestJournal,
  type TestNode,
  temporaryFolder,
  testDispatcher,
} from './queue.ts';

export interface Attached extends TestNode {
  readonly clock: ManualClock;
  readonly dispatcher: TestDispatcher;
}

export interface Start {
  readonly folder?: string;
  readonly clock?: ManualClock;
  readonly disk?: Disk;
  readonly journal?: TestJournal;
  readonly places?: number;
}

/** With a dispatcher. */
export async function attached(
  t: TestContext,
  { clock = manualClock(), places, ...start }: Start = {},
): Promise<Attached> {
  const node = await startQueue(t, { clock, disk: quickDisk(), ...start });
  const dispatcher = testDispatcher(places);
  node.queue.attach(dispatcher);
  await settled();
  return { ...node, clock, dispatcher };
}

/** A node on what a crash at this moment leaves; its memory of processes (`-shm`) is none of that. */
export function crashed(t: TestContext, { folder, clock }: Attached, start: Start = {}): Promise<Attached> {
  return attached(t, { clock, ...start, folder: leftBy(t, folder) });
}

export function leftBy(t: TestContext, folder: string): string {
  const copy = temporaryFolder(t);
  cpSync(folder, copy, { recursive: true, filter: (path) => !path.endsWith('-shm') });
  return copy;
}

/** Lets what is on its way to the disk arrive. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Of what waits for its turn: a clock that stands still would never give it one. */
export async function inTime<Result>(clock: ManualClock, work: Promise<Result>): Promise<Result> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  while (!isDone) await clock.advance(DEFERRALS_EVERY_MS);
  return done;
}

/** What waits for the ledger's files takes as long as the disk does. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await settled();
}

export async function commit(
  node: TestNode,
  to = 'a@x.example',
  more: Parameters<typeof message>[2] = {},
): Promise<string> {
  const made = await message(node, [to], more);
  await node.queue.commit(made);
  return made.id;
}

export async function count({ store }: TestNode, table: string): Promise<number> {
  const [row] = await store.database.read({ sql: `select count(*) as n from ${table}`, parameters: [] });
  return Number(row!['n']);
}

export async function rows({ queue }: TestNode): Promise<string[]> {
  return (await queue.admin.list({}, {})).rows.map(({ messageId, state }) => `${messageId} ${state}`);
}

export function next({ dispatcher }: Attached): Claim {
  const claim = dispatcher.claims.shift();
  assert.ok(claim, 'a claim was handed out');
  return claim;
}

export const states = ({ journal }: TestNode): string[] => journal.recipients.map(({ state }) => state);

export function ledgerFiles({ folder }: TestNode): string[] {
  return existsSync(join(folder, 'ledger')) ? readdirSync(join(folder, 'ledger')) : [];
}

/** Fails the calls on the ledger's files while `code` says so. */
export function failingLedger(fault: { code?: string | undefined; left?: number }): Disk {
  return quickDisk((call, path) => {
    if (!fault.code || call !== 'syncData' || !path.endsWith('.ledger')) return;
    if (fault.left !== undefined && fault.left-- <= 0) return;
    throw diskFailure(fault.code);
  });
}

/** Syncs of the ledger wait while `hangs` is a promise. */
export function hangingLedger(t: TestContext): { readonly disk: Disk; hang(): void; go(): void } {
  const quick = quickDisk();
  let hangs: Promise<void> | undefined;
  let go = (): void => undefined;
  t.after(() => go());
  const slowly = (file: DiskFile): DiskFile => ({
    ...file,
    async syncData() {
      await hangs;
      await file.syncData();
    },
  });
  return {
    disk: {
      ...quick,
      create: async (path) => slowly(await quick.create(path)),
      change: async (path) => slowly(await quick.change(path)),
    },
    hang() {
      hangs = new Promise((resolve) => {
        go = resolve;
      });
    },
    go: () => go(),
  };
}
