/** A journal over a folder of its own, records to put in it, and the events it told. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { EVENTS } from '../../src/catalogue.ts';
import { createBatchWriter } from '../../src/journal/batch.ts';
import type { MessageRecord, RecipientRecord, SessionRecord } from '../../src/journal/contract.ts';
import { type OpenJournal, openJournal } from '../../src/journal/journal.ts';
import { createLogReader, type LogReader } from '../../src/journal/reader.ts';
import type { LogRow } from '../../src/journal/record.ts';
import type { LogWriter } from '../../src/journal/writer.ts';
import { systemClock } from '../../src/world/clock.ts';
import { createEvents, type Events } from '../../src/world/events.ts';

export const NOON = Date.UTC(2026, 2, 1, 12);

export interface TestLog {
  readonly path: string;
  readonly journal: OpenJournal;
  readonly reader: LogReader;
  readonly events: Events;
  /** Names of what was emitted. */
  readonly told: string[];
}

export function folderOf(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-journal-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

export async function openLog(
  t: Pick<TestContext, 'after'>,
  options: { folder?: string; waitingBytes?: number } = {},
): Promise<TestLog> {
  const path = join(options.folder ?? folderOf(t), 'log.db');
  const told: string[] = [];
  const events = createEvents(EVENTS, systemClock.now, assertNever);
  events.attach((name) => told.push(name));
  const retention = { days: 36_500, auditDays: 36_500 };
  const journal = await openJournal({
    path,
    clock: systemClock,
    events,
    retention,
    waitingBytes: options.waitingBytes,
  });
  const reader = createLogReader({ path, clock: systemClock });
  t.after(() => Promise.all([journal.close(), reader.close()]));
  return { path, journal, reader, events, told };
}

function assertNever(error: unknown): never {
  throw error;
}

const batch = createBatchWriter();

/** As one batch, as the writing thread gets it. */
export function write(log: LogWriter, ...rows: readonly LogRow[]): void {
  for (const row of rows) assert.ok(batch.put(row));
  log.write(batch.take());
}

export function message(id: string, change: Partial<MessageRecord> & { subject?: string } = {}): MessageRecord {
  const { subject = `Subject of ${id}`, ...rest } = change;
  return {
    id,
    at: NOON,
    session: 'S1',
    direction: 'inbound',
    from: 'alice@sender.example',
    clientAddress: '192.0.2.1',
    sizeBytes: 1234,
    recipients: [{ address: 'bob@example.com', disposition: 'accept' }],
    detail: {
      subject,
      headerFrom: 'alice@sender.example',
      messageIdHeader: `<${id}@sender.example>`,
      evidence: { size: { bytes: 1234 } },
      findings: [
        { recipient: 'bob@example.com', findings: [{ check: 'size', outcome: 'pass', code: 'within', text: 'small' }] },
      ],
      dialogue: 'C: MAIL FROM:<alice@sender.example>\nS: 250 2.1.0 ok',
    },
    ...rest,
  };
}

export function change(id: string, state: string, rest: Partial<RecipientRecord> = {}): RecipientRecord {
  return { message: id, recipient: 'bob@example.com', at: NOON + 1000, state, ...rest };
}

export function session(id: string, rest: Partial<SessionRecord> = {}, clientAddress = '192.0.2.1'): SessionRecord {
  return {
    facts: {
      id,
      profile: 'mx',
      client: { address: clientAddress, port: 40_000 },
      local: { address: '127.0.0.1', port: 25 },
      helo: 'client.example',
      extended: true,
      startedAt: NOON - 1000,
    },
    endedAt: NOON + 500,
    end: 'quit',
    dialogue: 'S: 220 mx.example\nC: EHLO client.example',
    messagesAccepted: 1,
    ...rest,
  };
}
