/**
 * One claim on its way: a connection (hosts.ts), transactions over it, a result for every recipient.
 *
 * No other host is tried after a 5xx to MAIL, RCPT or the data. `done` is called once in any case.
 */
import { isOperational } from '../model/errors.ts';
import { isPromise } from '../model/maybe-promise.ts';
import { isAsciiText } from '../protocol/smtp/domain.ts';
import type { AttemptDetail, ClaimedRecipient } from '../queue/contract.ts';
import type { TransactionEnd, TransactionResult } from '../wire/client/types.ts';
import type { Attempt, AttemptTools } from './attempt-state.ts';
import { nextBatch } from './batch.ts';
import { createHosts } from './hosts.ts';
import { type Fitted, fitAndSign } from './outgoing.ts';
import type { Pooled } from './pool.ts';
import { isReportTooLarge, LESS } from './reduced-report.ts';
import { detailOf, resultOf, withEarlier } from './results.ts';
import { asksForTls } from './tls-demand.ts';
import type { LocalDelivery, Route } from './types.ts';

export interface Attempts {
  run(attempt: Attempt, route: Route): void;
  /** Attempts that have a connection; the others wait for DNS or for one. */
  transferring(): number;
  /**
   * Ends it with the results so far, before the next host has all of the message. False: too late for the current
   * transaction.
   */
  stop(attempt: Attempt): boolean;
  /** Cuts all connections in use; their attempts are not reported any more. */
  close(): void;
}

export function createAttempts(tools: AttemptTools): Attempts {
  const { services, pool, connector } = tools;
  const { clock, events } = services;
  const inTransfer = new Map<Attempt, Pooled>();
  const hosts = createHosts(tools, { transfer, conclude, finish });

  function finish(attempt: Attempt) {
    if (attempt.stage === 'over') return;
    attempt.stage = 'over';
    inTransfer.delete(attempt);
    tools.done(attempt);
  }

  function run(attempt: Attempt, route: Route) {
    if (attempt.stage === 'over') return;
    if (route.kind === 'mailboxes') return void deliverLocally(attempt, services.local);
    if (route.kind === 'sink') return void deliverLocally(attempt, route.sink);
    if (route.kind === 'hosts') {
      attempt.route = route;
      return hosts.connect(attempt);
    }
    const { status, reason } = route;
    events.emit('delivery.route.unusable', { destination: attempt.destination.name, status, reason });
    conclude(attempt, route.kind, { at: clock.now(), status, reply: reason, remote: false });
  }

  function transfer(attempt: Attempt, pooled: Pooled) {
    if (attempt.stage !== 'under-way') return release(attempt, pooled);
    inTransfer.set(attempt, pooled);
    const fitted = fitAndSign(attempt.claim, pooled.connection.extensions, services.signing, attempt.shortened);
    if (!isPromise(fitted)) return send(attempt, pooled, fitted);
    fitted.then(
      (ready) => send(attempt, pooled, ready),
      (error: unknown) => {
        pool.put(pooled);
        contentFailed(attempt, error);
      },
    );
  }

  /** Damaged content needs an operator; a disk that does not answer now may do so later. */
  function contentFailed(attempt: Attempt, error: unknown) {
    if (attempt.stage === 'over') return;
    const isLost = isOperational(error, 'content.missing') || isOperational(error, 'content.corrupt');
    const reply = `the content could not be read: ${(error as Error).message}`;
    const detail: AttemptDetail = { at: clock.now(), status: '4.3.0', reply, remote: false };
    conclude(attempt, isLost ? 'unreadable' : 'deferred', detail);
  }

  function send(attempt: Attempt, pooled: Pooled, fitted: Fitted) {
    if (attempt.stage !== 'under-way') return release(attempt, pooled);
    const { connection } = pooled;
    const { extensions } = connection;
    const { message } = attempt.claim;
    if (fitted.kind === 'unfit') return refuseHere(attempt, pooled, fitted.status, fitted.reason);
    const { reversePath = message.reversePath } = fitted;
    if (!extensions.smtputf8 && reversePath && !isAsciiText(reversePath.text))
      return refuseHere(attempt, pooled, '5.6.7', 'the sender needs SMTPUTF8, which the next host does not offer');
    if (!extensions.smtputf8) dropInternational(attempt, pooled);
    if (attempt.left.length === 0) return release(attempt, pooled);

    const batch = nextBatch(attempt.left, extensions.limits);
    const smtputf8 = fitted.smtputf8 || (extensions.smtputf8 && needsUtf8(reversePath?.text, batch));
    attempt.isSending = true;
    connection.send(
      {
        reversePath,
        recipients: batch,
        body: fitted.body,
        smtputf8,
        ret: message.ret,
        envid: message.envid,
        content: fitted.content,
      },
      (end) => ended(attempt, pooled, fitted, batch, end),
    );
  }

  /** RFC 6531 3.5: an address beyond ASCII cannot be sent to this host; the other recipients can. */
  function dropInternational(attempt: Attempt, pooled: Pooled) {
    const sayable = attempt.left.filter(({ address }) => isAsciiText(address.text));
    if (sayable.length === attempt.left.length) return;
    const detail = ownDetail(
      attempt,
      pooled,
      '5.6.7',
      'the address needs SMTPUTF8, which the next host does not offer',
    );
    for (const { row, address } of attempt.left)
      if (!isAsciiText(address.text)) attempt.results.push({ row, kind: 'failed', detail });
    attempt.left = sayable;
  }

  /** Our own decision, derived from the host's extensions. */
  function refuseHere(attempt: Attempt, pooled: Pooled, status: string, reason: string) {
    const detail = ownDetail(attempt, pooled, status, reason);
    for (const { row } of attempt.left) attempt.results.push({ row, kind: 'failed', detail });
    attempt.left = [];
    release(attempt, pooled);
  }

  function ownDetail(attempt: Attempt, pooled: Pooled, status: string, text: string): AttemptDetail {
    const reply = { code: 554, enhanced: status, text };
    return detailFrom(attempt, pooled, { outcome: 'failed', reply, remote: false, step: 'mail' });
  }

  function detailFrom(attempt: Attempt, pooled: Pooled, verdict: TransactionResult): AttemptDetail {
    const detail = detailOf(verdict, pooled.connection, clock.now());
    const isFirst = attempt.earlier === undefined && pooled.inClearAs === undefined;
    return isFirst ? detail : withEarlier(detail, attempt, pooled);
  }

  function ended(
    attempt: Attempt,
    pooled: Pooled,
    fitted: Fitted,
    batch: readonly ClaimedRecipient[],
    end: TransactionEnd,
  ) {
    const { connection } = pooled;
    const wasKept = pooled.sent > 0;
    attempt.isSending = false;
    pooled.sent++;
    if (end.suspicion) connector.distrust(pooled, end.suspicion);
    if (end.sourceError) return contentFailed(attempt, end.sourceError);
    if (end.unanswered) {
      inTransfer.delete(attempt);
      if (attempt.stage === 'stopping') return finish(attempt);
      return hosts.unanswered(attempt, pooled, wasKept, end.verdicts[0]!);
    }

    if (end.reusable && attempt.shortened < LESS.length && isReportTooLarge(attempt.claim, end.verdicts)) {
      attempt.shortened++;
      return transfer(attempt, pooled);
    }

    const again: ClaimedRecipient[] = [];
    let known: TransactionResult | undefined;
    let detail: AttemptDetail | undefined;
    for (let i = 0; i < batch.length; i++) {
      const verdict = judged(attempt, pooled, end.verdicts[i]!);
      if (i > 0 && isTooMany(verdict) && end.reusable) {
        again.push(batch[i]!);
        continue;
      }
      if (verdict !== known) detail = detailFrom(attempt, pooled, verdict);
      known = verdict;
      attempt.results.push(resultOf(batch[i]!, verdict.outcome, detail!, connection.extensions.dsn));
    }
    attempt.left = attempt.left.length === batch.length ? again : [...again, ...attempt.left.slice(batch.length)];
    if (attempt.left.length === 0 || attempt.stage === 'stopping') return release(attempt, pooled);
    if (!end.reusable) return conclude(attempt, 'deferred', detail!);
    if (fitted.kind === 'ready' && fitted.content.kind === 'whole') return send(attempt, pooled, fitted);
    transfer(attempt, pooled);
  }

  /** A reply about how we connect is no verdict on the message, which waits. */
  function judged(attempt: Attempt, pooled: Pooled, said: TransactionResult): TransactionResult {
    const { reply, remote, outcome } = said;
    if (outcome === 'accepted' || !remote) return said;
    if (pooled.inClearAs !== undefined && asksForTls(reply)) connector.tlsDemanded(pooled);
    // RFC 4954 6. A server that an operator entered demands it of us.
    else if (reply.code === 530 && attempt.route?.isEntered) connector.signInDemanded(pooled.connection);
    else return said;
    return { ...said, outcome: 'deferred' };
  }

  /**
   * RFC 5321 4.5.3.1.10: the rest goes in the next transaction. Never the first, so that each transaction makes
   * progress.
   */
  function isTooMany({ step, reply, outcome }: TransactionResult): boolean {
    return step === 'rcpt' && outcome === 'deferred' && reply.code === 452 && reply.enhanced !== '4.2.2';
  }

  function release(attempt: Attempt, pooled: Pooled) {
    pool.put(pooled);
    finish(attempt);
  }

  function conclude(attempt: Attempt, kind: 'failed' | 'deferred' | 'unreadable', detail: AttemptDetail) {
    for (const { row } of attempt.left)
      attempt.results.push(kind === 'deferred' ? { row, kind, detail, countsAsAttempt: true } : { row, kind, detail });
    attempt.left = [];
    finish(attempt);
  }

  async function deliverLocally(attempt: Attempt, local: LocalDelivery | undefined) {
    attempt.isLocal = true;
    const failed = (reply: string) =>
      conclude(attempt, 'deferred', { at: clock.now(), status: '4.3.5', reply, remote: false });
    if (!local) return failed('the domain has neither a mail server nor mailboxes here');
    try {
      attempt.results.push(...(await local.deliver(attempt.claim)));
      attempt.left = [];
      finish(attempt);
    } catch (error) {
      failed(`it could not be delivered here: ${(error as Error).message}`);
    }
  }

  /** A local mailbox answers at once; a host without a transaction under way has nothing. */
  function stop(attempt: Attempt): boolean {
    if (attempt.stage !== 'under-way' || attempt.isLocal) return false;
    const pooled = inTransfer.get(attempt);
    if (attempt.isSending && !pooled?.connection.stop()) {
      attempt.stage = 'stopping';
      return false;
    }
    finish(attempt);
    return true;
  }

  return {
    run,
    stop,
    transferring: () => inTransfer.size,
    close() {
      for (const { connection } of inTransfer.values()) connection.destroy();
      inTransfer.clear();
    },
  };
}

function needsUtf8(reversePath: string | undefined, recipients: readonly ClaimedRecipient[]): boolean {
  if (reversePath !== undefined && !isAsciiText(reversePath)) return true;
  for (const { address } of recipients) if (!isAsciiText(address.text)) return true;
  return false;
}
