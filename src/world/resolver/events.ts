/** Events of dns. */
import { event } from '../event.ts';

export const dnsEvents = {
  'dns.outage': event<{ servers: readonly string[]; reason: string }>()({
    level: 'error',
    text: 'no name server answers: mail that needs the DNS waits, and is refused for now where it cannot wait',
    metric: { name: 'postern_dns_outages_total' },
    webhook: true,
  }),
  'dns.recovered': event<{ afterMs: number }>()({ level: 'info', text: 'name servers answer again' }),
  'dns.short': event<{ places: number; waiting: number; networks: readonly string[] }>()({
    level: 'warn',
    text: 'DNS look-ups of clients are short of places: networks with many are cut, and their mail gets 451',
    metric: { name: 'postern_dns_shortages_total' },
  }),
  'dns.short-ended': event<{ afterMs: number; refused: number; cut: number; networks: readonly string[] }>()({
    level: 'warn',
    text: 'DNS look-ups of clients have places again',
  }),
} as const;

type DnsEvents = typeof dnsEvents;
declare module '../events.ts' {
  interface EventList extends DnsEvents {}
}
