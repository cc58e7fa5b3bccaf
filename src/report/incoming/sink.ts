/**
 * Delivers mail to the addresses for reports (directory/addresses/report-addresses.ts): it is read, and stored for
 * the viewer. Everything counts as delivered, whatever its content: a message without a report is stored with the
 * reason and its beginning, and nothing is sent back. Only a disk failure, or too many reports at once, defers.
 */
import type { Directory } from '../../directory/contract.ts';
import type { ContentRef } from '../../model/content.ts';
import { isOperational } from '../../model/errors.ts';
import type { AttemptDetail, AttemptResult, Claim } from '../../queue/contract.ts';
import type { Database, Statement } from '../../store/contract.ts';
import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import type { Random } from '../../world/random.ts';
import { INCOMING_BYTES, INCOMING_PER_DAY, MALFORMED_BYTES, PROBLEM_CHARACTERS } from '../limits.ts';
import { dayOf } from '../schema.ts';
import { createReportReader } from './reader.ts';
import { type IncomingRow, incomingStatements } from './statements.ts';
import type { ReadMessage, ReadReport } from './types.ts';

export interface ReportSink {
  deliver(claim: Claim): Promise<readonly AttemptResult[]>;
  close(): Promise<void>;
}

export interface SinkServices {
  readonly database: Database;
  readonly directory: Pick<Directory, 'domain'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
}

/** The domain of the address, and the time of arrival. */
interface Arrival {
  readonly domain: string;
  readonly at: number;
  readonly message: string;
  /** The beginning of the message. */
  readonly head: Uint8Array;
}

export function createReportSink(services: SinkServices): ReportSink {
  const { clock } = services;
  const reader = createReportReader(clock);

  async function take(claim: Claim): Promise<void> {
    const { content } = claim;
    const head = await readContent(content, MALFORMED_BYTES);
    const read: ReadMessage =
      content.sizeBytes <= INCOMING_BYTES
        ? await reader.read(() => readContent(content, content.sizeBytes))
        : { ok: false, problem: `the message has more than ${INCOMING_BYTES} bytes` };
    // The local part contains the address: see reportTarget.
    const domains = new Set(claim.recipients.map(({ address }) => address.local));
    for (const domain of domains)
      await keep(services, { domain, at: clock.now(), message: claim.message.id, head }, read);
  }

  return {
    async deliver(claim) {
      try {
        await take(claim);
      } catch (error) {
        if (!isOperational(error)) throw error;
        const isUnreadable = error.code === 'content.missing' || error.code === 'content.corrupt';
        const detail = detailOf(clock, isUnreadable ? '5.3.0' : '4.3.0', error.message);
        if (isUnreadable) return claim.recipients.map(({ row }) => ({ row, kind: 'unreadable', detail }));
        return claim.recipients.map(({ row }) => ({ row, kind: 'deferred', countsAsAttempt: true, detail }));
      }
      const detail = detailOf(clock, '2.0.0', 'read as a report');
      return claim.recipients.map(({ row }) => ({ row, kind: 'delivered', dsn: false, detail }));
    },
    close: reader.close,
  };
}

function detailOf(clock: Clock, status: string, reply: string): AttemptDetail {
  return { at: clock.now(), status, reply, remote: false };
}

async function readContent(content: ContentRef, most: number): Promise<Uint8Array> {
  const end = Math.min(content.sizeBytes, most);
  if (content.bytes) return Uint8Array.prototype.slice.call(content.bytes, 0, end);
  return Buffer.concat((await Array.fromAsync(content.open({ start: 0, end }))) as Uint8Array[]);
}

async function keep(services: SinkServices, arrival: Arrival, read: ReadMessage): Promise<void> {
  if (!read.ok) return keepMalformed(services, arrival, read.problem);
  for (const report of read.reports) {
    const about = report.domain || arrival.domain;
    if (await isOurs(services, about)) await keepReport(services, arrival, { ...report, domain: about });
    else await keepMalformed(services, arrival, `it is about ${about}, which is no domain of this node`);
  }
}

/** Anyone can write a report on anything: only reports about local domains are stored. */
async function isOurs({ directory }: SinkServices, about: string): Promise<boolean> {
  for (let name = about; name.includes('.'); name = name.slice(name.indexOf('.') + 1))
    if (await directory.domain(name)) return true;
  return false;
}

async function keepReport(services: SinkServices, arrival: Arrival, report: ReadReport): Promise<void> {
  const { database, events } = services;
  const sql = incomingStatements(database.dialect);
  const { kind, domain, organisation, reportId, begins, ends, sources, unread } = report;
  const row = newRow(services, arrival, {
    kind,
    domain,
    organisation,
    report_id: reportId,
    begins,
    ends,
    problem: unread > 0 ? `${unread} records of it could not be read or are too many` : null,
    raw: null,
  });
  if (await isFull(services, row)) return;
  const unit: Statement[] = [sql.put(row)];
  for (const [n, source] of sources.entries())
    unit.push(
      sql.putSource({
        report: row.id,
        n,
        domain: source.domain || domain,
        ends,
        source: source.source,
        messages: source.messages,
        disposition: source.disposition,
        dkim: source.dkim,
        spf: source.spf,
        header_from: source.headerFrom,
        detail: source.detail ?? null,
      }),
    );
  try {
    await database.write(unit);
  } catch (error) {
    // The same report again, from a reporter that got no answer in time.
    if (isOperational(error, 'store.expectation')) return;
    throw error;
  }
  events.emit('report.received', { id: row.id, kind, domain, organisation, rows: sources.length });
}

async function keepMalformed(services: SinkServices, arrival: Arrival, problem: string): Promise<void> {
  const { database, events } = services;
  const row = newRow(services, arrival, {
    kind: 'malformed',
    domain: arrival.domain,
    organisation: '',
    report_id: arrival.message,
    begins: 0,
    ends: 0,
    problem: problem.slice(0, PROBLEM_CHARACTERS),
    raw: arrival.head,
  });
  if (await isFull(services, row)) return;
  try {
    await database.write([incomingStatements(database.dialect).put(row)]);
  } catch (error) {
    if (isOperational(error, 'store.expectation')) return;
    throw error;
  }
  events.emit('report.malformed', { id: row.id, domain: row.domain, problem: row.problem ?? '' });
}

type Facts = Omit<IncomingRow, 'id' | 'received_at' | 'day' | 'message'>;

function newRow({ random }: SinkServices, { at, message }: Arrival, facts: Facts): IncomingRow {
  const id = `${at.toString(36)}-${Buffer.from(random.bytes(6)).toString('hex')}`;
  return { ...facts, id, received_at: at, day: dayOf(at), message };
}

/** A flood to the address fills one day's bound, not the disk. */
async function isFull({ database, events }: SinkServices, row: IncomingRow): Promise<boolean> {
  const [found] = await database.read(incomingStatements(database.dialect).countOfDay(row));
  if (Number(found?.['reports']) < INCOMING_PER_DAY) return false;
  const problem = `more than ${INCOMING_PER_DAY} reports in a day are not kept`;
  events.emit('report.malformed', { id: row.id, domain: row.domain, problem });
  return true;
}
