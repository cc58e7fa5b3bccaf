/** Events of report. */
import { event } from '../world/event.ts';

export const reportEvents = {
  'report.rows-unwritten': event<{ rows: number; error: string }>()({
    level: 'warn',
    text: 'what was counted for DMARC reports could not be written now; it is kept and written later',
    metric: { name: 'postern_report_unwritten_total' },
  }),
  'report.not-sent': event<{ reason: string; days: number }>()({
    level: 'warn',
    text: 'DMARC reports are due and may not be sent yet',
  }),
  'report.aggregate-written': event<{ domain: string; day: string; recipients: number; records: number }>()({
    level: 'info',
    text: 'a DMARC aggregate report was written',
    metric: { name: 'postern_report_aggregates_total' },
  }),
  'report.nobody-to-tell': event<{ domain: string; day: string; reason: string }>()({
    level: 'info',
    text: 'a domain asks for DMARC reports, and none of its addresses may have them',
  }),
  'report.received': event<{ id: string; kind: string; domain: string; organisation: string; rows: number }>()({
    level: 'info',
    text: 'a report of others on our mail came in',
    metric: { name: 'postern_report_received_total', labels: ['kind'] },
  }),
  'report.malformed': event<{ id: string; domain: string; problem: string }>()({
    untrusted: true,
    level: 'warn',
    text: 'mail to an address for reports holds none that can be read; it is kept with the reason',
    metric: { name: 'postern_report_malformed_total' },
  }),
} as const;

type ReportEvents = typeof reportEvents;
declare module '../world/events.ts' {
  interface EventList extends ReportEvents {}
}
