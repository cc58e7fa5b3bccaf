/** Signing with a world in a test's hands: keys in a database in memory, their records in a DNS of mailauth's making. */
import type { TestContext } from 'node:test';
import { createSigning } from '../../../../src/deliver/signing/signing.ts';
import type { Signing } from '../../../../src/deliver/signing/types.ts';
import { checkRecord, recordName } from '../../../../src/directory/signing-keys/check.ts';
import { createDkimKeys, type DkimKeys } from '../../../../src/directory/signing-keys/dkim-keys.ts';
import { signingMigrations } from '../../../../src/directory/signing-keys/schema.ts';
import { openSrsKeys, type SrsKeys } from '../../../../src/directory/signing-keys/srs-keys.ts';
import { formatKeyRecord } from '../../../../src/protocol/dkim/record.ts';
import type { SigningAlgorithm } from '../../../../src/protocol/dkim/signature.ts';
import type { Claim } from '../../../../src/queue/contract.ts';
import type { Settings, SettingsSnapshot } from '../../../../src/settings/contract.ts';
import type { SettingDefinition } from '../../../../src/settings/define.ts';
import type { PreparedChange } from '../../../../src/store/contract.ts';
import type { Secrets } from '../../../../src/store/secrets.ts';
import type { OutgoingContent } from '../../../../src/wire/client/types.ts';
import type { Resolver } from '../../../../src/world/resolver.ts';
import { type ManualClock, manualClock } from '../../../support/clock.ts';
import { type MemoryDatabase, memoryDatabase } from '../../../support/database.ts';
import { type RecordedEvents, recordedEvents } from '../../../support/events.ts';
import { seededRandom } from '../../../support/random.ts';
import { OPEN_SECRETS } from '../../../support/secrets.ts';

export interface SigningWorld {
  readonly signing: Signing;
  readonly dkim: DkimKeys;
  readonly srs: SrsKeys;
  readonly db: MemoryDatabase;
  readonly clock: ManualClock;
  readonly events: RecordedEvents;
  readonly settings: Record<string, unknown>;
  /** TXT records by name, as they stand in the DNS now. */
  readonly dns: Record<string, string[]>;
  readonly resolver: Resolver;
  write(change: PreparedChange): Promise<void>;
  /** A key that is published and signs. */
  activate(domain: string, selector: string, algorithm: SigningAlgorithm): Promise<void>;
  /** The bytes that go out. */
  send(claim: Claim, content?: OutgoingContent): Promise<{ readonly bytes: Buffer; readonly from: string | undefined }>;
  /** For mailauth: its name servers. */
  readonly lookup: (name: string, type: string) => Promise<string[][]>;
}

export interface WorldOptions {
  readonly domains?: readonly string[];
  /** Whose mail servers 192.0.2.25 is. */
  readonly serves?: readonly string[];
  readonly secrets?: Secrets;
}

export async function signingWorld(t: Pick<TestContext, 'after'>, options: WorldOptions = {}): Promise<SigningWorld> {
  const { domains = ['example.com'], serves = domains, secrets = OPEN_SECRETS } = options;
  const db = await memoryDatabase(t, ...signingMigrations);
  const clock = manualClock();
  const events = recordedEvents();
  const settings: Record<string, unknown> = {};
  const dns: Record<string, string[]> = {};
  const dkim = createDkimKeys(db, { secrets, clock });
  const srs = await openSrsKeys(db, { secrets, clock, events, random: seededRandom(7) });
  const resolver = { resolve: resolveIn(dns) } as unknown as Resolver;
  const signing = createSigning({
    clock,
    events,
    settings: settingsOf(settings),
    directory: {
      domain: (name) => (domains.includes(name) ? { name, enabled: true } : undefined),
      isMailServerOf: (name, address) => (address === '192.0.2.25' && serves.includes(name) ? 'yes' : 'no'),
    },
    dkim,
    srs,
    hostname: 'mx.example.com',
  });
  const write = async (change: PreparedChange): Promise<void> => {
    await db.write(change.statements);
    change.committed();
  };
  return {
    signing,
    dkim,
    srs,
    db,
    clock,
    events,
    settings,
    dns,
    resolver,
    write,
    async activate(domain, selector, algorithm) {
      await write(await dkim.create(domain, algorithm, selector));
      const key = (await dkim.ofDomain(domain)).find((row) => row.selector === selector)!;
      dns[recordName(key)] = [formatKeyRecord(algorithm, key.public_key)];
      await db.write([dkim.checked(key, await checkRecord(resolver, key))]);
      await write(await dkim.change(domain, [{ kind: 'activate', key, instead: undefined }]));
    },
    async send(claim, content = wholeOf(claim)) {
      if (!signing.concerns(claim)) return { bytes: await bytesOf(content), from: claim.message.reversePath?.text };
      const outgoing = await signing.prepare(claim, content, claim.message.body);
      return { bytes: await bytesOf(outgoing.content), from: outgoing.reversePath?.text };
    },
    async lookup(name, type) {
      const records = type === 'TXT' ? dns[name] : undefined;
      if (records) return records.map((text) => [text]);
      throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    },
  };
}

function resolveIn(dns: Readonly<Record<string, readonly string[]>>) {
  return async (name: string) => {
    const records = dns[name];
    return records
      ? { kind: 'found', records: records.map((text) => [Buffer.from(text)]), ttlSeconds: 60, authentic: false }
      : { kind: 'none', nxdomain: true, ttlSeconds: 60, authentic: false };
  };
}

function settingsOf(values: Record<string, unknown>): Settings {
  const snapshot: SettingsSnapshot = {
    version: 1,
    get: <T>(setting: SettingDefinition<T>) => (values[setting.key] as T | undefined) ?? setting.default,
  };
  return { current: () => snapshot, onChange: () => () => {} };
}

function wholeOf({ content, trace, edits }: Claim): OutgoingContent {
  const above = edits.reduce((text, edit) => (edit.kind === 'prepend' ? edit.raw + text : text), trace);
  const pieces = [Buffer.from(above), Buffer.from(content.bytes!)];
  return { kind: 'whole', pieces, sizeBytes: pieces[0]!.length + pieces[1]!.length };
}

export function streamOf(bytes: Buffer, cuts: readonly number[]): OutgoingContent {
  const at = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  return {
    kind: 'stream',
    sizeBytes: bytes.length,
    exact: true,
    async *open() {
      for (let i = 1; i < at.length; i++) yield bytes.subarray(at[i - 1], at[i]);
    },
  };
}

export async function bytesOf(content: OutgoingContent): Promise<Buffer> {
  return Buffer.concat(content.kind === 'whole' ? content.pieces : await Array.fromAsync(content.open()));
}
