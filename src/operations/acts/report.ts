/** DMARC and TLS reports: those that this node sends, and those received about its domains. */
import { Type } from 'typebox';
import { domainName } from '../../directory/addresses/names.ts';
import { OperationalError } from '../../model/errors.ts';
import { pageOf } from '../../model/page.ts';
import type { IncomingEntry } from '../../report/admin.ts';
import { dayOf } from '../../report/schema.ts';
import { Answer, Nullable, PageAnswer, Strings } from '../answers.ts';
import { act, look } from '../define.ts';
import { type Has, pageRowsOf } from '../reach.ts';
import { Domains, Text } from './types.ts';

const Day = Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }));
const Time = Type.Optional(Type.Integer({ minimum: 0 }));

const May = Answer({ answer: Type.Enum(['yes', 'no', 'cannot-tell']), reason: Type.Optional(Type.String()) });
const DAY = {
  day: Type.String(),
  domain: Type.String(),
  messages: Type.Integer(),
  rows: Type.Integer(),
  leftOut: Type.Integer(),
  rua: Strings,
};
const INCOMING = {
  id: Type.String(),
  kind: Type.String(),
  domain: Type.String(),
  organisation: Type.String(),
  received: Type.String(),
  begins: Nullable(Type.String()),
  ends: Nullable(Type.String()),
  messages: Type.Integer(),
  problem: Nullable(Type.String()),
  message: Type.String(),
};
const ALIGNMENT = {
  messages: Type.Integer(),
  aligned: Type.Integer(),
  dkim: Type.Integer(),
  spf: Type.Integer(),
  quarantined: Type.Integer(),
  rejected: Type.Integer(),
};

export const reportOperations = {
  'report.dmarc.list': look('report.dmarc.list', {
    area: 'reports',
    reach: 'node',
    title: 'Lists what is counted for DMARC reports and not sent yet, and whether it may be sent',
    input: {},
    answer: Answer({ may: May, days: Type.Array(Answer(DAY)) }),
    run: async ({ reports }) => ({ output: { may: await reports.may(), days: await reports.counted() } }),
  }),

  'report.dmarc.show': look('report.dmarc.show', {
    area: 'reports',
    reach: 'node',
    title: 'Shows what is counted of one policy domain, the latest day or the one given',
    input: { domain: Text, day: Day },
    answer: Answer({ ...DAY, policy: Type.Object({}), counted: Type.Array(Type.Object({ messages: Type.Integer() })) }),
    run: async ({ reports }, { domain, day }) => {
      const name = domainName(domain);
      const found = await reports.countedOf(name, dayNumber(day));
      if (found) return { output: found };
      throw nothing(name);
    },
  }),

  'report.dmarc.preview': look('report.dmarc.preview', {
    area: 'reports',
    reach: 'node',
    title: 'Writes the XML of a report as it would be sent now',
    input: { domain: Text, day: Day },
    answer: Answer({ xml: Type.String() }),
    run: async ({ reports }, { domain, day }) => {
      const name = domainName(domain);
      const xml = await reports.preview(name, dayNumber(day));
      if (xml !== undefined) return { output: { xml } };
      throw nothing(name);
    },
  }),

  'report.dmarc.send': act('report.dmarc.send', {
    area: 'reports',
    reach: 'node',
    title: 'Sends the reports of the days that are over, if they may be sent',
    input: {},
    answer: Answer({
      may: May,
      written: Type.Integer(),
      refused: Type.Integer(),
      waiting: Type.Integer(),
      days: Type.Optional(Type.Integer()),
    }),
    run: async ({ reports }) => ({ output: await reports.send() }),
  }),

  'report.incoming.list': look('report.incoming.list', {
    area: 'reports',
    reach: { narrowed: true, cut: pageRowsOf(({ domain }: { readonly domain: string }) => [domain]) },
    title: 'Lists reports of others, newest first',
    input: {
      domain: Type.Optional(Text),
      kind: Type.Optional(Type.Enum(['aggregate', 'failure', 'tls', 'malformed'])),
      since: Time,
      domains: Domains,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      after: Type.Optional(Text),
    },
    answer: PageAnswer(Answer(INCOMING)),
    run: async ({ reports }, { domain, limit = 100, ...filter }) => {
      const of = domain === undefined ? {} : { domain: domainName(domain) };
      const rows = await reports.incoming({ ...filter, ...of, limit: limit + 1 });
      return { output: pageOf(rows, limit, ({ received, id }) => `${Date.parse(received)}/${id}`) };
    },
  }),

  'report.incoming.show': look('report.incoming.show', {
    area: 'reports',
    reach: { cut: (report: IncomingEntry, has: Has) => (has([report.domain]) ? report : undefined) },
    title: 'Shows one report of others with its sources, or why it could not be read',
    input: { id: Text },
    answer: Answer({ ...INCOMING, sources: Type.Array(Type.Object({})), raw: Nullable(Type.String()) }),
    run: async ({ reports }, { id }) => {
      const found = await reports.incomingOne(id);
      if (found) return { output: found };
      throw new OperationalError('report.missing', `cannot show ${id}, as it must be a report that came in: it is not`);
    },
  }),

  'report.incoming.view': look('report.incoming.view', {
    area: 'reports',
    reach: { named: ({ domain }) => [domainName(domain)] },
    title: 'Shows what reports of others say of a domain: by source, and day by day',
    input: { domain: Text, since: Time },
    answer: Answer({
      sources: Type.Array(Answer({ source: Type.String(), ...ALIGNMENT })),
      days: Type.Array(Answer({ day: Type.String(), ...ALIGNMENT })),
    }),
    run: async ({ reports }, { domain, since = 0 }) => ({ output: await reports.view(domainName(domain), since) }),
  }),
};

function dayNumber(day: string | undefined): number | undefined {
  if (day === undefined) return undefined;
  const at = Date.parse(day);
  if (!Number.isNaN(at)) return dayOf(at);
  throw new OperationalError('operation.input', `cannot use the day ${day}, as it must be a date`);
}

function nothing(domain: string): OperationalError {
  return new OperationalError('report.missing', `cannot show ${domain}, as nothing is counted for a report to it`);
}
