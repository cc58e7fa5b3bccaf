/**
 * Servers at which sign-in fails now: reported once, and once more when it works again, whatever the number of
 * waiting messages. Bounded, since only servers that an operator entered are here.
 */
import type { OpeningFailure, SignInProblem } from '../wire/client/types.ts';
import type { Events } from '../world/events.ts';
import type { Candidate } from './types.ts';

export interface SignInOutages {
  failed(candidate: Candidate, failure: OpeningFailure): void;
  succeeded(candidate: Candidate): void;
  /** Its last attempt failed: one attempt at a time is enough to notice when it works again. */
  isFailing(candidate: Candidate): boolean;
  /** It demands a sign-in, but there are no credentials for it. */
  demanded(server: Pick<Candidate, 'host' | 'port'>): void;
}

export function createSignInOutages(events: Events): SignInOutages {
  /** The login that failed, by host and port: other credentials are independent. */
  const failing = new Map<string, string>();
  const NOBODY = '';
  return {
    isFailing: ({ host, port, login }) => login !== undefined && failing.get(`${host} ${port}`) === login.key,
    demanded({ host, port }) {
      if (failing.get(`${host} ${port}`) === NOBODY) return;
      failing.set(`${host} ${port}`, NOBODY);
      events.emit('delivery.sign-in.demanded', { host, port });
    },
    failed({ host, port, login }, failure) {
      const problem = problemOf(failure);
      const place = `${host} ${port}`;
      if (!login || !problem || failing.get(place) === login.key) return;
      failing.set(place, login.key);
      events.emit('delivery.sign-in.failed', { host, port, user: login.user, problem, reason: failure.reason });
    },
    succeeded({ host, port, login }) {
      if (login && failing.delete(`${host} ${port}`))
        events.emit('delivery.sign-in.recovered', { host, port, user: login.user });
    },
  };
}

/** An unanswered connection is no problem of sign-in; one that cannot be encrypted is. */
function problemOf({ kind, problem }: OpeningFailure): SignInProblem | undefined {
  if (kind === 'sign-in') return problem;
  return kind === 'tls' ? 'insecure' : undefined;
}
