/**
 * A session that signed in, for as long as its account is allowed: checked at MAIL and again before a message is
 * committed, and ended by the registry of sessions when the account is frozen in between.
 */
import { FINISH_MS } from '../guard/limits.ts';
import { andThen, type MaybePromise } from '../model/maybe-promise.ts';
import type { Reply } from '../model/reply.ts';
import { end } from './end.ts';
import { CANNOT_AUTHORIZE, DISMISSED, SIGNED_OUT } from './replies.ts';
import type { SmtpSession } from './session.ts';

/** Call it after a sign-in. */
export function enterGuard(session: SmtpSession): void {
  const account = session.facts.account!;
  session.leaveGuard = session.services.sessions.enter({
    account,
    proof: session.proof,
    end: () => dismiss(session, account),
  });
}

export function leaveGuard(session: SmtpSession): void {
  session.leaveGuard?.();
  session.leaveGuard = undefined;
}

/** For a session that signed in: undefined if its account is still allowed. Never throws. */
export function mayGoOn(session: SmtpSession): MaybePromise<Reply | undefined> {
  const { services, facts, proof } = session;
  return andThen(services.credentials.stands(facts.account!, proof), (answer) => {
    if (answer === 'yes') return undefined;
    return answer === 'cannot-tell' ? CANNOT_AUTHORIZE : signOut(session, facts.account!);
  });
}

function signOut(session: SmtpSession, account: string): Reply {
  leaveGuard(session);
  const { account: _, ...facts } = session.facts;
  session.facts = facts;
  report(session, account);
  return SIGNED_OUT;
}

function report(session: SmtpSession, account: string): void {
  session.reason ??= 'the account, or what it signed in with, was changed or taken away';
  const { id, client } = session.facts;
  session.services.events.emit('smtp.auth.ended', { session: id, address: client.address, account });
}

/** At once; if a command or a message is in hand, when that is done or its time is over. */
function dismiss(session: SmtpSession, account: string): void {
  const { connection, services } = session;
  session.leaveGuard = undefined;
  if (connection.closing) return;
  report(session, account);
  if (!connection.busy) {
    end(session, DISMISSED, 'refused');
    return;
  }
  session.isDismissed = true;
  services.clock.after(FINISH_MS, () => {
    if (!connection.closing) end(session, DISMISSED, 'refused');
  });
}
