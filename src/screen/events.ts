/** Events of screen. */
import { event } from '../world/event.ts';

export const screenEvents = {
  'screen.defect': event<{ check: string; stage: string; error: string; stack?: string }>()({
    untrusted: true,
    level: 'error',
    text: 'a check failed by a defect of its own; mail that it protects waits',
    metric: { name: 'postern_check_defects_total', labels: ['check'] },
    webhook: true,
  }),
  'screen.timeout': event<{ stage: string; checks: readonly string[]; afterMs: number }>()({
    untrusted: true,
    level: 'warn',
    text: 'checks did not answer in time',
    metric: { name: 'postern_screen_timeouts_total', labels: ['stage'] },
  }),
  'screen.no-destination': event<{ domain: string }>()({
    untrusted: true,
    level: 'error',
    text: 'a local domain has neither a mail server nor mailboxes: mail for it is deferred until it has (told once an hour a domain)',
    metric: { name: 'postern_no_destination_total' },
    webhook: true,
  }),
  'screen.unmarked': event<{ session: string; address: string; domain: string }>()({
    untrusted: true,
    level: 'warn',
    text: 'a message came from the address of a mail server on shared infrastructure, without the tenant marker that was entered for it: it was treated as a stranger’s',
    metric: { name: 'postern_screen_unmarked_total' },
    webhook: true,
  }),
  'screen.nat': event<{ port: number; address: string; known: 'setting' | 'gateway' | 'counted' | 'proxy' }>()({
    level: 'warn',
    text: 'clients of a listener hide behind one address: the presets of IP shielding and what is waived for this machine do not count for it, nor do pairs of networks around it (let the proxy send PROXY headers with the client’s address, or publish the port without address translation)',
    webhook: true,
  }),
} as const;

type ScreenEvents = typeof screenEvents;
declare module '../world/events.ts' {
  interface EventList extends ScreenEvents {}
}
