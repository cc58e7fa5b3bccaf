/** Reports for operators: lists of counted, sent and received ones, and acts on them. */
import { OperationalError } from '../model/errors.ts';
import type { DmarcRecord } from '../screen/checks/origin/types.ts';
import type { Database } from '../store/contract.ts';
import { buildReport, reportXml } from './dmarc/build.ts';
import type { DmarcCollector } from './dmarc/collect.ts';
import { type MayReport, mayReport, type ReadinessServices, reporterOf } from './dmarc/reporter.ts';
import { type SendServices, type SentReports, sendReports } from './dmarc/send.ts';
import { type CountRow, type DayRow, dmarcStatements } from './dmarc/statements.ts';
import { type IncomingRow, incomingStatements, type SourceRow } from './incoming/statements.ts';
import { LIST_ROWS } from './limits.ts';
import { DAY_MS, dayText } from './schema.ts';

export interface CountedDay {
  readonly day: string;
  readonly domain: string;
  readonly messages: number;
  readonly rows: number;
  readonly leftOut: number;
  /** The addresses that request the report. */
  readonly rua: readonly string[];
}

export interface CountedDetail extends CountedDay {
  readonly policy: DmarcRecord;
  readonly counted: readonly ({ readonly messages: number } & Readonly<Record<string, unknown>>)[];
}

export interface Alignment {
  readonly messages: number;
  readonly aligned: number;
  readonly dkim: number;
  readonly spf: number;
  readonly quarantined: number;
  readonly rejected: number;
}

export interface IncomingEntry {
  readonly id: string;
  readonly kind: string;
  readonly domain: string;
  readonly organisation: string;
  /** ISO 8601. */
  readonly received: string;
  readonly begins: string | null;
  readonly ends: string | null;
  readonly messages: number;
  readonly problem: string | null;
  /** The message id in the log. */
  readonly message: string;
}

export interface IncomingFilter {
  readonly domain?: string;
  /** Only these. */
  readonly domains?: readonly string[];
  readonly kind?: 'aggregate' | 'failure' | 'tls' | 'malformed';
  /** Milliseconds since the epoch. */
  readonly since?: number;
  readonly limit?: number;
  /** `received/id` of the previous row, in milliseconds. */
  readonly after?: string;
}

export interface ReportAdmin {
  may(): Promise<MayReport>;
  counted(): Promise<readonly CountedDay[]>;
  /** The latest day if none is given (days since the epoch). */
  countedOf(domain: string, day?: number): Promise<CountedDetail | undefined>;
  /** The report in its current state. */
  preview(domain: string, day?: number): Promise<string | undefined>;
  send(): Promise<SentReports>;
  incoming(filter: IncomingFilter): Promise<readonly IncomingEntry[]>;
  incomingOne(
    id: string,
  ): Promise<(IncomingEntry & { readonly sources: readonly SourceRow[]; readonly raw: string | null }) | undefined>;
  /** The content of reports about a domain: by source, and by day (the newest first). */
  view(
    domain: string,
    since: number,
  ): Promise<{
    readonly sources: readonly ({ readonly source: string } & Alignment)[];
    readonly days: readonly ({ readonly day: string } & Alignment)[];
  }>;
}

export interface ReportAdminServices extends SendServices, ReadinessServices {
  readonly database: Database;
  readonly collector: DmarcCollector;
}

export function createReportAdmin(services: ReportAdminServices): ReportAdmin {
  const { database, settings, collector } = services;
  const dmarc = dmarcStatements(database.dialect);
  const incoming = incomingStatements(database.dialect);

  async function counted(domain: string, day?: number): Promise<{ about: DayRow; rows: CountRow[] } | undefined> {
    await collector.flush();
    const [about] = (await database.read(
      day === undefined ? dmarc.latestDay({ domain }) : dmarc.day({ domain, day }),
    )) as unknown as DayRow[];
    return about && { about, rows: (await database.read(dmarc.rows(about))) as unknown as CountRow[] };
  }

  return {
    may: () => mayReport(services, reporterOf(settings.current())),
    async counted() {
      await collector.flush();
      const rows = await database.scan(dmarc.summary({ limit: LIST_ROWS }));
      return rows.map((row) => ({
        day: dayText(Number(row['day'])),
        domain: String(row['domain']),
        messages: Number(row['messages']),
        rows: Number(row['rows']),
        leftOut: Number(row['left_out']),
        rua: (JSON.parse(String(row['policy'])) as DmarcRecord).rua,
      }));
    },
    async countedOf(domain, day) {
      const found = await counted(domain, day);
      if (!found) return undefined;
      const { about, rows } = found;
      const policy = JSON.parse(about.policy) as DmarcRecord;
      return {
        day: dayText(about.day),
        domain,
        messages: rows.reduce((sum, { messages }) => sum + messages, 0),
        rows: rows.length,
        leftOut: about.left_out,
        rua: policy.rua,
        policy,
        counted: rows.map(({ row, messages }) => ({ messages, ...JSON.parse(row) })),
      };
    },
    async preview(domain, day) {
      const found = await counted(domain, day);
      if (!found) return undefined;
      const contact = 'report.contact is not set';
      const nobody = { contact, domain: 'unknown', organisation: 'unknown', extraContact: '' };
      const reporter = reporterOf(settings.current()) ?? nobody;
      return reportXml(buildReport(reporter, found.about, found.rows, 'preview'));
    },
    async send() {
      await collector.flush();
      return sendReports(services);
    },
    async incoming({ domain, domains, kind, since = 0, limit = 100, after }) {
      const page = { ...(after === undefined ? {} : placeOf(after)), limit: Math.min(limit, LIST_ROWS + 1) };
      const rows = await database.scan(incoming.list({ domain, domains, kind, since, ...page }));
      return rows.map((row) => entryOf(row as unknown as IncomingRow & { messages: number | null }));
    },
    async incomingOne(id) {
      const [row] = (await database.read(incoming.one({ id }))) as unknown as IncomingRow[];
      if (!row) return undefined;
      const sources = (await database.read(incoming.sourcesOf({ id, limit: LIST_ROWS }))) as unknown as SourceRow[];
      const messages = sources.reduce((sum, source) => sum + source.messages, 0);
      return {
        ...entryOf({ ...row, messages }),
        sources,
        raw: row.raw && Buffer.from(row.raw).toString('latin1'),
      };
    },
    async view(domain, since) {
      const span = { domain, since: Math.floor(since / 1000), limit: LIST_ROWS };
      const sources = await database.scan(incoming.bySource(span));
      const days = await database.scan(incoming.byDay(span));
      return {
        sources: sources.map((row) => ({ source: String(row['source']), ...alignmentOf(row) })),
        days: days.map((row) => ({ day: dayText(Number(row['day'])), ...alignmentOf(row) })),
      };
    },
  };
}

function placeOf(after: string): { readonly before: number; readonly id: string } {
  const [, at, id] = /^(\d{1,15})\/(.*)$/s.exec(after) ?? [];
  if (at !== undefined) return { before: Number(at), id: id! };
  throw new OperationalError('operation.input', 'cannot list, as after must be what the page before gave as next');
}

function entryOf(row: IncomingRow & { readonly messages: number | null }): IncomingEntry {
  const { id, kind, domain, organisation, problem, message } = row;
  return {
    id,
    kind,
    domain,
    organisation,
    received: new Date(row.received_at).toISOString(),
    begins: instant(row.begins),
    ends: instant(row.ends),
    messages: Number(row.messages ?? 0),
    problem,
    message,
  };
}

/** An untrusted number of seconds may be no valid date. */
function instant(seconds: number): string | null {
  if (seconds <= 0 || seconds > (100_000_000 * DAY_MS) / 1000) return null;
  return new Date(seconds * 1000).toISOString();
}

function alignmentOf(row: Readonly<Record<string, unknown>>): Alignment {
  const number = (name: keyof Alignment): number => Number(row[name]);
  return {
    messages: number('messages'),
    aligned: number('aligned'),
    dkim: number('dkim'),
    spf: number('spf'),
    quarantined: number('quarantined'),
    rejected: number('rejected'),
  };
}
