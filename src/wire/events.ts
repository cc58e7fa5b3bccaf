/** Events of wire: listeners and the connections they accept or refuse. */
import { event } from '../world/event.ts';

export const wireEvents = {
  'wire.listening': event<{ listener: string; address: string; port: number }>()({
    level: 'info',
    text: 'a listener takes connections',
  }),
  'wire.accept-failed': event<{ listener: string; error: string }>()({
    untrusted: true,
    level: 'error',
    text: 'a listener could not take a connection (out of file descriptors?)',
    metric: { name: 'postern_accept_failures_total', labels: ['listener'] },
    webhook: true,
  }),
  'wire.refused': event<{
    listener: string;
    client: string;
    reason: 'too-many-connections' | 'too-many-from-network' | 'proxy-missing' | 'proxy-malformed' | 'proxy-untrusted';
  }>()({
    untrusted: true,
    level: 'warn',
    text: 'a connection was refused before its session began',
    metric: { name: 'postern_connections_refused_total', labels: ['listener', 'reason'] },
  }),
  'wire.tls-failed': event<{ listener: string; client: string; error: string }>()({
    untrusted: true,
    level: 'info',
    text: 'a TLS handshake failed; the connection was ended',
    metric: { name: 'postern_tls_failures_total', labels: ['listener'] },
  }),
} as const;

type WireEvents = typeof wireEvents;
declare module '../world/events.ts' {
  interface EventList extends WireEvents {}
}
