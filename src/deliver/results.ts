/** From replies to the queue's results: status codes (RFC 3463), replies, results a recipient. */

import { type Reply, replyText } from '../model/reply.ts';
import type { AttemptDetail, AttemptResult, ClaimedRecipient } from '../queue/contract.ts';
import type { SmtpConnection } from '../wire/client/connection.ts';
import type { OpeningFailure, TransactionResult } from '../wire/client/types.ts';
import type { Attempt } from './attempt-state.ts';
import type { Pooled } from './pool.ts';
import type { Candidate } from './types.ts';

/** The reply as received, on one line. */
export function replyLine(reply: Reply): string {
  return `${reply.code} ${reply.enhanced === undefined ? '' : `${reply.enhanced} `}${replyText(reply)}`;
}

/** A reply without a status, or with one of another class, gets the class of its result (RFC 3463 3.1). */
export function statusOf(reply: Reply, digit: '2' | '4' | '5'): string {
  return reply.enhanced?.startsWith(digit) ? reply.enhanced : `${digit}.0.0`;
}

const CLASS = { accepted: '2', deferred: '4', failed: '5' } as const;

/** `connection`: the host that answered. */
export function detailOf(verdict: TransactionResult, connection: SmtpConnection, at: number): AttemptDetail {
  const detail: AttemptDetail = {
    at,
    host: connection.host,
    address: connection.address,
    port: connection.port,
    status: statusOf(verdict.reply, CLASS[verdict.outcome]),
    reply: verdict.remote ? replyLine(verdict.reply) : replyText(verdict.reply),
    remote: verdict.remote,
  };
  return connection.tls ? { ...detail, tls: tlsOf(connection)! } : detail;
}

export function tlsOf({ tls, signedIn }: SmtpConnection): string | undefined {
  return tls && `${tls.protocol} ${tls.cipher}${signedIn ? `, signed in by ${signedIn}` : ''}`;
}

/** With the earlier hosts, and the reason for clear text if it offers TLS. */
export function withEarlier(detail: AttemptDetail, attempt: Attempt, { connection, inClearAs }: Pooled): AttemptDetail {
  const { host, address, port } = connection;
  let { earlier } = attempt;
  const isToldOf = attempt.redialled.some((known) => known.address === address && known.port === port);
  if (inClearAs !== undefined && !isToldOf) {
    const reply = `in clear, as TLS failed a while ago: ${inClearAs}`;
    earlier = [...(earlier ?? []), { host, address, reply }];
  }
  return earlier ? { ...detail, earlier } : detail;
}

export function resultOf(
  { row }: ClaimedRecipient,
  outcome: TransactionResult['outcome'],
  detail: AttemptDetail,
  peerTakesDsn: boolean,
): AttemptResult {
  if (outcome === 'accepted') return { row, kind: 'relayed', dsn: peerTakesDsn, detail };
  if (outcome === 'failed') return { row, kind: 'failed', detail };
  return { row, kind: 'deferred', detail, countsAsAttempt: true };
}

/** No session: the host's reply, or why there was none. */
export function unopenedDetail(
  { host, address, port }: Candidate,
  { kind, step, reply, reason }: OpeningFailure,
  outcome: 'failed' | 'deferred',
  at: number,
): AttemptDetail {
  const where = { at, host, address, port };
  // Our own status: RFC 4954 6 has 4.7.0 for temporary failures, and the reply to AUTH was not about the message.
  if (kind === 'sign-in') return { ...where, status: '4.7.0', reply: reason, remote: false };
  if (reply && kind !== 'tls')
    return { ...where, status: statusOf(reply, CLASS[outcome]), reply: replyLine(reply), remote: true };
  // RFC 3463 3.5: 4.4.1 no answer from host, 4.4.2 bad connection; 4.7.5 cryptographic failure.
  const status = kind === 'tls' ? '4.7.5' : step === 'connect' ? '4.4.1' : '4.4.2';
  return { ...where, status, reply: reason, remote: false };
}
