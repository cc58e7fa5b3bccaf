/** Events of receive: sessions and incoming messages. */
import { event } from '../world/event.ts';

export const receiveEvents = {
  'smtp.starttls.discarded': event<{ session: string; bytes: number }>()({
    untrusted: true,
    level: 'warn',
    text: 'a client pipelined commands behind STARTTLS; they were discarded',
    metric: { name: 'postern_starttls_injections_total' },
  }),
  'smtp.auth.succeeded': event<{ session: string; address: string; mechanism: string; account: string }>()({
    level: 'info',
    text: 'a client signed in',
    metric: { name: 'postern_auth_successes_total' },
  }),
  'smtp.auth.failed': event<{
    session: string;
    address: string;
    mechanism: string;
    reason: 'unknown' | 'wrong' | 'state' | 'expired' | 'not-allowed' | 'malformed' | 'shut' | 'busy' | 'cannot-tell';
  }>()({
    untrusted: true,
    level: 'info',
    text: 'a client did not sign in',
    metric: { name: 'postern_auth_failures_total', labels: ['reason'] },
  }),
  'smtp.auth.ended': event<{ session: string; address: string; account: string }>()({
    level: 'info',
    text: 'a client was signed out, as its account, or what it signed in with, was changed or taken away',
  }),
  'receive.bare-newline': event<{
    session: string;
    message: string;
    bare: 'cr' | 'lf';
    action: 'refuse' | 'normalise';
  }>()({
    untrusted: true,
    level: 'info',
    text: 'a message has a bare CR or LF, as SMTP smuggling does',
    metric: { name: 'postern_bare_newlines_total', labels: ['bare', 'action'] },
  }),
  'receive.nul': event<{ session: string; message: string; action: 'refuse' | 'accept' }>()({
    untrusted: true,
    level: 'info',
    text: 'a message has a NUL, which readers take differently',
    metric: { name: 'postern_nul_messages_total', labels: ['action'] },
  }),
  'receive.commit-failed': event<{ message: string; code: string; error: string }>()({
    untrusted: true,
    level: 'error',
    text: 'a message could not be stored; the client was asked to come again',
    metric: { name: 'postern_commit_failures_total', labels: ['code'] },
    webhook: true,
  }),
  'receive.sessions-unrecorded': event<{ sessions: number; networks: number }>()({
    level: 'warn',
    text: 'sessions that ended before MAIL came too fast to be recorded one by one',
    metric: { name: 'postern_sessions_unrecorded_total' },
  }),
} as const;

type ReceiveEvents = typeof receiveEvents;
declare module '../world/events.ts' {
  interface EventList extends ReceiveEvents {}
}
