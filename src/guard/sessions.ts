/**
 * Signed-in sessions of every protocol, by account.
 *
 * When accounts or credentials change, each session is checked again: a session is ended if its account was frozen,
 * disabled or removed, or if its password, app password or certificate was taken away. If that cannot be read now,
 * the sessions stay: each protocol checks again before it acts for them.
 */
import { andThen, type MaybePromise } from '../model/maybe-promise.ts';
import type { Authority, Proof } from '../wire/sasl/types.ts';
import { RECHECKED_AT_ONCE } from './limits.ts';

export interface SignedInSession {
  readonly account: string;
  readonly proof: Proof | undefined;
  /** Called once. */
  readonly end: () => void;
}

export interface SessionGuard {
  /** Returns a function that removes the session: it signed out, or its connection ended. */
  enter(session: SignedInSession): () => void;
  /** Call it when accounts or credentials have changed. */
  recheck(): void;
  /** How many sessions an account has open now. */
  count(account: string): number;
}

export function createSessionGuard(stands: Authority['stands']): SessionGuard {
  const sessions = new Map<string, Set<SignedInSession>>();
  /** Accounts still to be checked; undefined: no check is under way. */
  let pending: string[] | undefined;

  const remove = (session: SignedInSession): void => {
    const others = sessions.get(session.account);
    if (others?.delete(session) && others.size === 0) sessions.delete(session.account);
  };

  const judge = (session: SignedInSession): MaybePromise<void> =>
    andThen(stands(session.account, session.proof), (answer) => {
      if (answer !== 'no' || !sessions.get(session.account)?.has(session)) return;
      remove(session);
      session.end();
    });

  const proceed = async (): Promise<void> => {
    while (pending && pending.length > 0) {
      const portion = pending.splice(0, RECHECKED_AT_ONCE);
      await Promise.all(portion.flatMap((account) => [...(sessions.get(account) ?? [])].map(judge)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    pending = undefined;
  };

  return {
    enter(session) {
      const own = sessions.get(session.account) ?? new Set();
      sessions.set(session.account, own.add(session));
      return () => remove(session);
    },
    recheck() {
      if (sessions.size === 0) return;
      const isUnderWay = pending !== undefined;
      pending = [...sessions.keys()];
      if (!isUnderWay) void proceed();
    },
    count: (account) => sessions.get(account)?.size ?? 0,
  };
}
