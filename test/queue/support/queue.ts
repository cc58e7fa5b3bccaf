/**
 * A queue over a real store in a folder of its own, with a journal and a directory of the plainest
 * kind, and a dispatcher that tests drive by hand.
 */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { EVENTS } from '../../../src/catalogue.ts';
import type { Directory } from '../../../src/directory/contract.ts';
import type {
  Journal,
  MessageRecord,
  MessageRow,
  RecipientRecord,
  RecipientRow,
} from '../../../src/journal/contract.ts';
import type { Address } from '../../../src/model/address.ts';
import { makeAddress } from '../../../src/protocol/smtp/address.ts';
import type {
  AttemptDetail,
  AttemptResult,
  Claim,
  Dispatcher,
  NewMessage,
  NewRecipient,
} from '../../../src/queue/contract.ts';
import { type OpenQueue, openQueue } from '../../../src/queue/open.ts';
import { queueMigrations } from '../../../src/queue/rows/migrations.ts';
import type { Settings } from '../../../src/settings/contract.ts';
import type { SettingDefinition } from '../../../src/settings/define.ts';
import type { StoreMigration } from '../../../src/store/migration.ts';
import { openStore, type Store } from '../../../src/store/open.ts';
import type { Clock } from '../../../src/world/clock.ts';
import type { Disk } from '../../../src/world/disk.ts';
import { createEvents, type Events } from '../../../src/world/events.ts';
import { seededRandom } from '../../support/random.ts';

export interface TestJournal extends Journal {
  readonly messages: MessageRecord[];
  readonly recipients: RecipientRecord[];
  /** False: nothing becomes durable until `flush`. */
  automatic: boolean;
}

/** Of a flattened row, what tests look at. */
function messageOf(row: MessageRow): MessageRecord {
  const [
    ,
    id,
    at,
    session,
    direction,
    from,
    client,
    sizeBytes,
    subject,
    headerFrom,
    messageIdHeader,
    recipients,
    detail,
  ] = row;
  return {
    id,
    at,
    session: session ?? undefined,
    direction: direction as MessageRecord['direction'],
    from,
    clientAddress: client ?? undefined,
    sizeBytes,
    recipients: JSON.parse(recipients),
    detail: {
      subject: subject ?? undefined,
      headerFrom: headerFrom ?? undefined,
      messageIdHeader: messageIdHeader ?? undefined,
      ...JSON.parse(detail),
    },
  };
}

export function recipientOf([, message, recipient, at, state, detail]: RecipientRow): RecipientRecord {
  return { message, recipient, at, state, ...JSON.parse(detail) };
}

export function testJournal(): TestJournal {
  const messages: MessageRecord[] = [];
  const recipients: RecipientRecord[] = [];
  const listeners = new Set<(upTo: number) => void>();
  let number = 0;
  let durable = 0;
  let told = false;
  const journal: TestJournal = {
    messages,
    recipients,
    automatic: true,
    session: () => undefined,
    audit: () => undefined,
    message: (record) => recorded(() => messages.push('id' in record ? record : messageOf(record))),
    recipient: (record) => recorded(() => recipients.push('message' in record ? record : recipientOf(record))),
    durable: () => durable,
    onDurable(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async flush() {
      durable = number;
      for (const listener of listeners) listener(durable);
    },
    async close() {},
  };
  const recorded = (record: () => void): number => {
    record();
    if (journal.automatic && !told) {
      told = true;
      setImmediate(() => {
        told = false;
        void journal.flush();
      });
    }
    return ++number;
  };
  return journal;
}

/** Every domain but `local.example` is remote. */
export const testDirectory: Pick<Directory, 'resolve'> = {
  resolve: (address) =>
    address.domain === 'local.example' ? { kind: 'local', targets: [address], viaAlias: false } : { kind: 'remote' },
};

export function testSettings(values: Readonly<Record<string, unknown>> = {}): Settings {
  const snapshot = {
    version: 1,
    get: <T>(setting: SettingDefinition<T>): T => (values[setting.key] ?? setting.default) as T,
  };
  return { current: () => snapshot, onChange: () => () => undefined };
}

export interface TestDispatcher extends Dispatcher {
  readonly claims: Claim[];
  /** Places for each destination. */
  places: number;
  onTake?: (claim: Claim) => void;
}

export function testDispatcher(places = 1000): TestDispatcher {
  const claims: Claim[] = [];
  return {
    claims,
    places,
    room() {
      return this.places - claims.length;
    },
    take(claim) {
      claims.push(claim);
      this.onTake?.(claim);
    },
    stop: () => false,
    forgetFailures() {},
  };
}

export interface TestNode {
  readonly folder: string;
  readonly store: Store;
  readonly queue: OpenQueue;
  readonly journal: TestJournal;
  readonly events: Events;
  readonly told: string[];
}

export interface TestNodeOptions {
  readonly folder?: string;
  readonly clock: Clock;
  readonly journal?: TestJournal;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly writer?: 'thread' | 'loop';
  readonly disk?: Disk;
  /** Where other rooms' tables are needed beside the queue's. */
  readonly migrations?: readonly StoreMigration[];
}

let starts = 0;

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-queue-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function startQueue(t: TestContext, options: TestNodeOptions): Promise<TestNode> {
  const node = await openTestNode({ ...options, folder: options.folder ?? temporaryFolder(t) });
  t.after(async () => {
    await node.queue.close();
    await node.store.close();
  });
  return node;
}

/** The caller closes its queue and its store. */
export async function openTestNode(options: TestNodeOptions & { readonly folder: string }): Promise<TestNode> {
  const { clock, folder, journal = testJournal(), writer = 'loop' } = options;
  const told: string[] = [];
  const events = createEvents(EVENTS, clock.now, (error) => {
    throw error;
  });
  events.attach((name) => told.push(name));
  const random = seededRandom(++starts);
  const store = await openStore(folder, {
    clock,
    random,
    events,
    migrations: options.migrations ?? queueMigrations,
    writer,
    disk: options.disk,
  });
  const queue = await openQueue({
    database: store.database,
    blobs: store.blobs,
    ledger: store.ledger,
    journal,
    settings: testSettings(options.settings),
    directory: testDirectory,
    clock,
    random,
    events,
    hostname: 'mx.local.example',
  });
  return { folder, store, queue, journal, events, told };
}

export function address(text: string): Address {
  const at = text.lastIndexOf('@');
  return makeAddress(text.slice(0, at), text.slice(at + 1));
}

export function recipient(text: string, more: Partial<NewRecipient> = {}): NewRecipient {
  const to = address(text);
  return { address: to, original: to, direction: 'outbound', destination: to.domain, state: 'queued', ...more };
}

const LETTER = 'From: bob@sender.example\r\nSubject: hello\r\n\r\nbody\r\n';

export async function message(
  { store, queue }: Pick<TestNode, 'store' | 'queue'>,
  recipients: readonly (NewRecipient | string)[],
  more: Partial<NewMessage> & { readonly text?: string } = {},
): Promise<NewMessage> {
  const { text = LETTER, ...rest } = more;
  const spool = store.blobs.spool();
  spool.write(Buffer.from(text));
  return {
    id: queue.newId(),
    reversePath: address('bob@sender.example'),
    body: '7BIT',
    smtputf8: false,
    receivedAt: 0,
    content: await spool.finish(),
    trace: 'Received: from somewhere\r\n',
    detail: { subject: 'hello', evidence: {}, findings: [] },
    recipients: recipients.map((entry) => (typeof entry === 'string' ? recipient(entry) : entry)),
    ...rest,
  };
}

export function detail(status: string, reply: string, more: Partial<AttemptDetail> = {}): AttemptDetail {
  return { at: 0, status, reply, remote: true, host: 'mx.remote.example', ...more };
}

export function all(claim: Claim, make: (row: number) => AttemptResult): AttemptResult[] {
  return claim.recipients.map(({ row }) => make(row));
}

export const relayed = (row: number): AttemptResult => ({
  row,
  kind: 'relayed',
  dsn: false,
  detail: detail('2.0.0', '250 2.0.0 ok'),
});
export const deferred = (row: number): AttemptResult => ({
  row,
  kind: 'deferred',
  countsAsAttempt: true,
  detail: detail('4.2.0', '450 4.2.0 later'),
});
export const failed = (row: number): AttemptResult => ({
  row,
  kind: 'failed',
  detail: detail('5.1.1', '550 5.1.1 no such user'),
});

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
