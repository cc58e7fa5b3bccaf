/** Events of sign-ins as a whole; the protocol reports each one that fails. */
import { event } from '../../world/event.ts';

export const signInEvents = {
  'sign-in.guessing': event<{ wrong: number }>()({
    level: 'warn',
    text: 'somebody guesses passwords: clients that never signed in here are served slowly, all others as ever',
    metric: { name: 'postern_sign_in_guessing_total' },
    webhook: true,
  }),
  'sign-in.guessing-over': event<Record<never, never>>()({
    level: 'info',
    text: 'nobody guesses passwords any more',
    webhook: true,
  }),
} as const;

type SignInEvents = typeof signInEvents;
declare module '../../world/events.ts' {
  interface EventList extends SignInEvents {}
}
