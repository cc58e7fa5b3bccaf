/** Events of delivery: results of attempts, failing hosts, connections without encryption. */
import { event } from '../world/event.ts';

export const deliveryEvents = {
  'delivery.accepted': event<{
    message: string;
    destination: string;
    host: string;
    tls?: string;
    recipients: number;
    reply: string;
  }>()({
    level: 'debug',
    text: 'the next host took a message',
    metric: { name: 'postern_delivery_accepted_total' },
  }),
  'delivery.deferred': event<{
    message: string;
    destination: string;
    host?: string;
    recipients: number;
    status: string;
    reply: string;
  }>()({
    level: 'info',
    text: 'a message could not be delivered now; it is tried again',
    metric: { name: 'postern_delivery_deferred_total' },
  }),
  'delivery.failed': event<{
    message: string;
    destination: string;
    host?: string;
    recipients: number;
    status: string;
    reply: string;
  }>()({
    level: 'info',
    text: 'a message cannot be delivered',
    metric: { name: 'postern_delivery_failed_total' },
  }),
  'delivery.connection.failed': event<{
    destination: string;
    host: string;
    address: string;
    port: number;
    step: string;
    kind: 'connection' | 'refused' | 'tls' | 'sign-in';
    reason: string;
  }>()({
    level: 'info',
    text: 'no session with a host could be opened',
    metric: { name: 'postern_delivery_connection_failures_total', labels: ['kind'] },
  }),
  'delivery.sign-in.failed': event<{
    host: string;
    port: number;
    user: string;
    problem: 'insecure' | 'not-offered' | 'refused' | 'put-off' | 'unproven' | 'lost';
    reason: string;
  }>()({
    level: 'warn',
    text: 'this node cannot sign in to a server, whose mail waits until it can; told once until it works again',
    metric: { name: 'postern_delivery_sign_in_failures_total', labels: ['problem'] },
    webhook: true,
  }),
  'delivery.sign-in.demanded': event<{ host: string; port: number }>()({
    level: 'warn',
    text: 'a server that was entered here takes no mail before a sign-in: give it credentials; its mail waits',
    metric: { name: 'postern_delivery_sign_ins_demanded_total' },
    webhook: true,
  }),
  'delivery.sign-in.recovered': event<{ host: string; port: number; user: string }>()({
    level: 'info',
    text: 'this node can sign in to a server again',
  }),
  'delivery.tls.fallback': event<{ host: string; address: string; port: number; reason: string; minutes: number }>()({
    level: 'warn',
    text: 'a TLS handshake failed: connections to this address go in clear for a while',
    metric: { name: 'postern_delivery_tls_fallbacks_total' },
  }),
  'delivery.tls.demanded': event<{ host: string; address: string; port: number }>()({
    level: 'warn',
    text: 'a host refused the clear text that followed a failed handshake: its mail waits, and goes with TLS again',
    metric: { name: 'postern_delivery_tls_demanded_total' },
  }),
  'delivery.peer.distrusted': event<{ host: string; address: string; extension: 'pipelining' | 'chunking' }>()({
    level: 'warn',
    text: 'a host does not master an extension that it offers: it is not used there for an hour',
    metric: { name: 'postern_delivery_peers_distrusted_total', labels: ['extension'] },
  }),
  'delivery.route.unusable': event<{ destination: string; status: string; reason: string }>()({
    level: 'warn',
    text: 'there is no way to a destination now',
    metric: { name: 'postern_delivery_routes_unusable_total' },
  }),
  'delivery.settle.failed': event<{ message: string; error: string }>()({
    level: 'error',
    text: 'what came of a delivery could not be recorded: the message may be sent again',
    metric: { name: 'postern_delivery_settle_failures_total' },
  }),
} as const;

type DeliveryEvents = typeof deliveryEvents;
declare module '../world/events.ts' {
  interface EventList extends DeliveryEvents {}
}
