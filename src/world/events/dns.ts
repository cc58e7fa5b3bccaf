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
} as const;
