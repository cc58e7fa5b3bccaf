/**
 * Writes the reports of the days that are over: for each policy domain its letters are added to the outbox and its
 * counts deleted, in one unit, so that a report is written once. If the DNS does not answer who may receive it, it
 * waits for the next time; after a few days it is of no use, and deleted.
 */
import type { Directory } from '../../directory/contract.ts';
import type { DmarcRecord } from '../../screen/checks/origin/types.ts';
import type { Settings } from '../../settings/contract.ts';
import type { Database } from '../../store/contract.ts';
import { outboxStatements } from '../../store/outbox.ts';
import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import type { Random } from '../../world/random.ts';
import type { Resolver } from '../../world/resolver.ts';
import { DOMAINS_PER_TURN, REPORT_DUE_DAYS } from '../limits.ts';
import { dayOf, dayText } from '../schema.ts';
import { reportSettings } from '../settings.ts';
import { buildReport, packReport } from './build.ts';
import { destinationsOf } from './destinations.ts';
import { composeReport } from './letter.ts';
import { type CheckDomain, type MayReport, mayReport, type Reporter, reporterOf } from './reporter.ts';
import { type CountRow, type DayRow, type DmarcStatements, dmarcStatements } from './statements.ts';

export interface SendServices {
  readonly database: Database;
  readonly settings: Settings;
  readonly resolver: Resolver;
  readonly directory: Pick<Directory, 'domain'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  readonly checkDomain: CheckDomain;
  readonly sandbox: boolean;
}

export interface SentReports {
  readonly may: MayReport;
  /** Reports written, of those that were due. */
  readonly written: number;
  /** Domains that requested reports, but whose addresses may not receive them. */
  readonly refused: number;
  /** Waiting for an answer of the DNS. */
  readonly waiting: number;
  /** The age of the oldest report that may not be sent. */
  readonly days?: number;
}

/** Days before today, in UTC. Errors: those of the database. */
export async function sendReports(services: SendServices): Promise<SentReports> {
  const { database, settings, clock } = services;
  const sql = dmarcStatements(database.dialect);
  const today = dayOf(clock.now());
  const oldest = today - REPORT_DUE_DAYS;
  await database.write([sql.forgetDays({ before: oldest }), sql.forgetRows({ before: oldest })]);
  let [due] = await dueAfter(services, sql, today);
  if (!due) return { may: { answer: 'yes' }, written: 0, refused: 0, waiting: 0 };
  const reporter = reporterOf(settings.current());
  const may = settings.current().get(reportSettings.aggregate)
    ? await mayReport(services, reporter)
    : ({ answer: 'no', reason: 'the setting report.aggregate is off' } as const);
  if (may.answer !== 'yes' || !reporter) {
    return { may, written: 0, refused: 0, waiting: 0, days: today - due.day };
  }
  const counts = { written: 0, refused: 0, waiting: 0 };
  let batch = await dueAfter(services, sql, today);
  while (batch.length > 0) {
    for (const day of batch) counts[await sendOne(services, sql, reporter, day)]++;
    due = batch.at(-1)!;
    batch = await dueAfter(services, sql, today, due);
  }
  return { may, ...counts };
}

async function dueAfter(
  { database }: SendServices,
  sql: DmarcStatements,
  before: number,
  last?: DayRow,
): Promise<readonly DayRow[]> {
  const after = { afterDay: last?.day ?? -1, afterDomain: last?.domain ?? '' };
  return (await database.read(sql.days({ before, ...after, limit: DOMAINS_PER_TURN }))) as unknown as DayRow[];
}

async function sendOne(
  services: SendServices,
  sql: DmarcStatements,
  reporter: Reporter,
  day: DayRow,
): Promise<'written' | 'refused' | 'waiting'> {
  const { database, resolver, clock, random, events } = services;
  const about = { domain: day.domain, day: dayText(day.day) };
  const { rua } = JSON.parse(day.policy) as DmarcRecord;
  const { addresses, refused, cannotTell } = await destinationsOf(resolver, day.domain, rua);
  if (cannotTell.length > 0) return 'waiting';
  const finish = [sql.finishDay(day), sql.finishRows(day)];
  if (addresses.length === 0) {
    await database.write(finish);
    events.emit('report.nobody-to-tell', { ...about, reason: refused.join('; ') || 'its record names none' });
    return 'refused';
  }
  const rows = (await database.read(sql.rows(day))) as unknown as CountRow[];
  const hex = (): string => Buffer.from(random.bytes(10)).toString('hex');
  const reportId = hex();
  const packed = packReport(reporter, buildReport(reporter, day, rows, reportId));
  const outbox = outboxStatements(database.dialect);
  const now = clock.now();
  const letters = addresses.map((to) => {
    const unique = hex();
    const letter = {
      to,
      policyDomain: day.domain,
      reportId,
      date: now,
      messageId: `<${unique}@${reporter.domain}>`,
      boundary: `postern-${unique}`,
    };
    return outbox.letter({
      id: `${now.toString(36)}-${unique}`,
      kind: 'dmarc-aggregate',
      sender: reporter.contact,
      recipients: [to],
      content: composeReport(reporter, packed, letter),
      createdAt: now,
    });
  });
  await database.write([...letters, ...finish]);
  events.emit('report.aggregate-written', { ...about, recipients: addresses.length, records: packed.records });
  return 'written';
}
