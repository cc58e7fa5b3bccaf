/** Reports over a database in memory, a real DNS zone, and a clock that tests move. */
import type { TestContext } from 'node:test';
import type { ObservedMessage } from '../../src/report/observe.ts';
import { openReports, type ReportServices, type Reports } from '../../src/report/open.ts';
import { reportMigrations } from '../../src/report/schema.ts';
import type { DmarcEvidence } from '../../src/screen/checks/origin/types.ts';
import { type OutboxRow, outboxMigrations, outboxStatements } from '../../src/store/outbox.ts';
import { systemClock } from '../../src/world/clock.ts';
import { createResolver } from '../../src/world/resolver/stub.ts';
import { testSettings } from '../queue/support/queue.ts';
import { type ManualClock, manualClock } from '../support/clock.ts';
import { type MemoryDatabase, memoryDatabase } from '../support/database.ts';
import { type RecordedEvents, recordedEvents } from '../support/events.ts';
import { seededRandom } from '../support/random.ts';
import { startZone, type Zone, type ZoneName } from '../support/zone.ts';

export interface ReportBench {
  readonly reports: Reports;
  readonly database: MemoryDatabase;
  readonly clock: ManualClock;
  readonly events: RecordedEvents;
  readonly zone: Zone;
  /** As receiving would tell a refused message. */
  refused(evidence: Partial<DmarcEvidence>, more?: Partial<ObservedMessage>): void;
  letters(): Promise<readonly OutboxRow[]>;
}

export const DAY = 24 * 60 * 60_000;

export async function startReports(
  t: TestContext,
  options: {
    readonly zone?: Readonly<Record<string, ZoneName>>;
    readonly settings?: Readonly<Record<string, unknown>>;
    readonly services?: Partial<ReportServices>;
    /** As a node before this one left it. */
    readonly database?: MemoryDatabase;
  } = {},
): Promise<ReportBench> {
  const database = options.database ?? (await memoryDatabase(t, ...outboxMigrations, ...reportMigrations));
  const clock = manualClock();
  const events = recordedEvents();
  const random = seededRandom(7);
  const zone = await startZone(t, options.zone ?? {});
  const resolver = createResolver({ clock: systemClock, random, events }, { servers: [zone.server], trusted: [] });
  const settings = testSettings({ 'report.contact': 'dmarc@receiver.example', ...options.settings });
  const reports = openReports({
    database,
    settings,
    resolver,
    directory: { domain: (name) => (name === 'receiver.example' ? { name, enabled: true } : undefined) },
    clock,
    random,
    events,
    hostname: 'mx.receiver.example',
    checkDomain: async () => ({ answer: 'yes' }),
    sandbox: false,
    ...options.services,
  });
  t.after(() => reports.close());
  const journal = { session: () => undefined, message: () => 0 };
  const counting = reports.counting({ journal, queue: { newId: () => '', commit: async () => undefined } });
  const outbox = outboxStatements('sqlite');
  return {
    reports,
    database,
    clock,
    events,
    zone,
    refused(evidence, more) {
      const dmarc = { ...FAILED, ...evidence };
      const detail = {
        evidence: { dmarc: dmarc as never },
        findings: [],
        subject: 'win',
        headerFrom: 'bob@sender.example',
      };
      const recipients = [{ address: 'alice@receiver.example', disposition: 'refuse' }];
      const record = {
        id: '1',
        at: clock.now(),
        direction: 'refused',
        from: 'bob@spam.example',
        sizeBytes: 1,
      } as const;
      counting.journal.message({ ...record, recipients, detail, ...more });
    },
    letters: async () => (await database.read(outbox.oldest({ limit: 100 }))) as unknown as readonly OutboxRow[],
  };
}

export const FAILED: DmarcEvidence = {
  made: true,
  result: 'fail',
  sourceIp: '192.0.2.1',
  headerFrom: 'sender.example',
  envelopeFrom: 'spam.example',
  record: {
    domain: 'sender.example',
    p: 'reject',
    adkim: 'r',
    aspf: 'r',
    t: 'n',
    psd: 'u',
    fo: '0',
    rua: ['mailto:rua@sender.example'],
    ruf: [],
    discovery: 'treewalk',
  },
  policy: 'reject',
  spfAligned: false,
  dkimAligned: false,
  dkim: [],
  spf: [{ domain: 'spam.example', scope: 'mfrom', result: 'pass' }],
  spfDenies: false,
  arcSealers: [],
  arcVouchesPass: false,
  applied: { disposition: 'reject', reasons: [] },
};
