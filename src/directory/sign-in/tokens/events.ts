/** Events of tokens in place of passwords. */
import { event } from '../../../world/event.ts';

export const tokenEvents = {
  'token.issuer-down': event<{ issuer: string; reason: string }>()({
    level: 'warn',
    text: 'the keys of an issuer of tokens cannot be fetched: those at hand count for a day, sign-ins that need others are put off',
    metric: { name: 'postern_token_issuer_down_total' },
    webhook: true,
  }),
  'token.issuer-recovered': event<{ issuer: string }>()({
    level: 'info',
    text: 'the keys of an issuer of tokens are there again',
    webhook: true,
  }),
  'token.refused': event<{ check: string; why: string }>()({
    untrusted: true,
    level: 'info',
    text: 'a token was refused',
    metric: { name: 'postern_token_refused_total', labels: ['check'] },
  }),
} as const;

type TokenEvents = typeof tokenEvents;
declare module '../../../world/events.ts' {
  interface EventList extends TokenEvents {}
}
