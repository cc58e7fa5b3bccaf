/** DMARC and TLS reports: those that this node sends, and those of others on its domains. */
import { Type } from 'typebox';
import { domainName } from '../../directory/addresses/names.ts';
import { OperationalError } from '../../model/errors.ts';
import { dayOf } from '../../report/schema.ts';
import { act, look } from '../define.ts';
import { Text } from './types.ts';

const Day = Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }));
const Time = Type.Optional(Type.Integer({ minimum: 0 }));

export const reportOperations = {
  'report.dmarc.list': look('report.dmarc.list', {
    area: 'reports',
    title: 'Lists what is counted for DMARC reports and not sent yet, and whether it may be sent',
    input: {},
    run: async ({ reports }) => ({ output: { may: await reports.may(), days: await reports.counted() } }),
  }),

  'report.dmarc.show': look('report.dmarc.show', {
    area: 'reports',
    title: 'Shows what is counted of one policy domain, the latest day or the one given',
    input: { domain: Text, day: Day },
    run: async ({ reports }, { domain, day }) => {
      const name = domainName(domain);
      const found = await reports.countedOf(name, dayNumber(day));
      if (found) return { output: found };
      throw nothing(name);
    },
  }),

  'report.dmarc.preview': look('report.dmarc.preview', {
    area: 'reports',
    title: 'Writes the XML of a report as it would be sent now',
    input: { domain: Text, day: Day },
    run: async ({ reports }, { domain, day }) => {
      const name = domainName(domain);
      const xml = await reports.preview(name, dayNumber(day));
      if (xml !== undefined) return { output: { xml } };
      throw nothing(name);
    },
  }),

  'report.dmarc.send': act('report.dmarc.send', {
    area: 'reports',
    title: 'Sends the reports of the days that are over, if they may be sent',
    input: {},
    run: async ({ reports }) => ({ output: await reports.send() }),
  }),

  'report.incoming.list': look('report.incoming.list', {
    area: 'reports',
    title: 'Lists reports of others, newest first',
    input: {
      domain: Type.Optional(Text),
      kind: Type.Optional(Type.Enum(['aggregate', 'failure', 'tls', 'malformed'])),
      since: Time,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    },
    run: async ({ reports }, { domain, ...filter }) => ({
      output: await reports.incoming({ ...filter, ...(domain !== undefined && { domain: domainName(domain) }) }),
    }),
  }),

  'report.incoming.show': look('report.incoming.show', {
    area: 'reports',
    title: 'Shows one report of others with its sources, or why it could not be read',
    input: { id: Text },
    run: async ({ reports }, { id }) => {
      const found = await reports.incomingOne(id);
      if (found) return { output: found };
      throw new OperationalError('report.missing', `cannot show ${id}, as it must be a report that came in: it is not`);
    },
  }),

  'report.incoming.view': look('report.incoming.view', {
    area: 'reports',
    title: 'Shows what reports of others say of a domain: by source, and day by day',
    input: { domain: Text, since: Time },
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
