/**
 * STARTTLS (RFC 3207): input that was pipelined after it is discarded, and so is the state of the session.
 *
 * 220 waits for the client's turn if many begin handshakes at once (wire/handshakes.ts); 454 if not even that is
 * possible.
 */
import { isPromise } from '../../model/maybe-promise.ts';
import type { Reply } from '../../model/reply.ts';
import { NO_ARGUMENT } from '../replies.ts';
import type { SmtpSession, Verb } from '../session.ts';
import { abandonTransaction } from '../transaction.ts';

const READY: Reply = { code: 220, enhanced: '2.0.0', text: 'ready for TLS' };
/** RFC 3207 4: TLS is temporarily not available. */
const NOT_NOW: Reply = { code: 454, enhanced: '4.7.0', text: 'too many TLS handshakes at this moment' };
const TLS_ALREADY: Reply = { code: 503, enhanced: '5.5.1', text: 'TLS is up already' };

export const starttls: Verb = (session, argument) => {
  // RFC 3207 4: no parameters.
  if (argument !== '') return NO_ARGUMENT;
  if (session.facts.tls) return TLS_ALREADY;
  abandonTransaction(session);
  const { handshakes, connection, facts } = session;
  const turn = handshakes.turn(facts.client.address, () => connection.closing || connection.inputEnded);
  return isPromise(turn) ? turn.then((mayBegin) => upgrade(session, mayBegin)) : upgrade(session, turn);
};

function upgrade(session: SmtpSession, mayBegin: boolean): Reply {
  if (!mayBegin) return NOT_NOW;
  session.upgrading = true;
  return READY;
}
