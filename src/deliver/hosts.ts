/**
 * Finds a host for a claim: an idle connection, else one candidate after the other until a session is open.
 *
 * The next host is tried after a connection or TLS failure, a 4xx or 5xx greeting or EHLO, 421 to STARTTLS, and when
 * a host closes before it answered MAIL. An attempt that finds none ends here.
 */
import type { AttemptDetail, EarlierHost } from '../queue/contract.ts';
import type { OpeningFailure, TransactionResult } from '../wire/client/types.ts';
import { shuffle } from '../world/random.ts';
import type { Attempt, AttemptTools, HostsRoute } from './attempt-state.ts';
import { endpointOf } from './destinations.ts';
import { DELIVERY_LIMITS } from './limits.ts';
import type { Pooled } from './pool.ts';
import { tlsOf, unopenedDetail } from './results.ts';
import type { Candidate } from './types.ts';

const NOT_NOW = 'not tried now, as a try a short while ago failed';

/** How an attempt continues. */
export interface Onward {
  transfer(attempt: Attempt, pooled: Pooled): void;
  conclude(attempt: Attempt, kind: 'failed' | 'deferred', detail: AttemptDetail): void;
  finish(attempt: Attempt): void;
}

export interface Hosts {
  connect(attempt: Attempt): void;
  /** The connection was lost before the peer answered anything of the transaction. */
  unanswered(attempt: Attempt, pooled: Pooled, wasKept: boolean, verdict: TransactionResult): void;
}

export function createHosts({ services, pool, peers, connector }: AttemptTools, next: Onward): Hosts {
  const { clock, random } = services;

  function connect(attempt: Attempt) {
    const { name, endpoints } = attempt.destination;
    for (const endpoint of endpoints) {
      const kept = pool.take(endpoint, (pooled) => connector.mayUse(name, pooled));
      if (kept) return next.transfer(attempt, kept);
    }
    connectAnew(attempt);
  }

  function connectAnew(attempt: Attempt) {
    // It was stopped while a host was being connected to.
    if (attempt.stage === 'over') return;
    attempt.candidates ??= inOrder(attempt.route!);
    for (let first = attempt.candidates.shift(); first; first = attempt.candidates.shift()) {
      const candidate = first;
      const reason = peers.unreachable.get(endpointOf(candidate));
      if (reason !== undefined) {
        attempt.isPermanent = false;
        const { host, address } = candidate;
        passed(attempt, { host, address, reply: `${NOT_NOW}: ${reason}` });
        continue;
      }
      return connector.open(
        attempt.destination.name,
        candidate,
        (pooled) => {
          supersede(attempt, undefined);
          next.transfer(attempt, pooled);
        },
        (failure) => failedToOpen(attempt, candidate, failure),
      );
    }
    nobodyLeft(attempt);
  }

  function passed(attempt: Attempt, host: EarlierHost) {
    attempt.earlier = [...(attempt.earlier ?? []), host];
  }

  /** The previous host is no longer the last. */
  function supersede(attempt: Attempt, refused: Attempt['refused']) {
    const before = attempt.refused;
    attempt.refused = refused;
    if (!before) return;
    const { candidate, failure, tls } = before;
    const { host, address } = candidate;
    const { reply } = unopenedDetail(candidate, failure, 'deferred', clock.now());
    const said = failure.kind === 'tls' ? `TLS failed: ${reply}` : reply;
    passed(attempt, { host, address, ...(tls !== undefined && { tls }), reply: said });
  }

  /** Hosts of equal preference in any order (RFC 5321 5.1). */
  function inOrder(route: HostsRoute): Candidate[] {
    const hosts = route.groups.flatMap((group) => (group.length === 1 ? group : shuffle([...group], random)));
    return hosts.flat().slice(0, DELIVERY_LIMITS.candidates);
  }

  function failedToOpen(attempt: Attempt, candidate: Candidate, failure: OpeningFailure) {
    supersede(attempt, { candidate, failure });
    if ((failure.reply?.code ?? 0) < 500 || failure.kind !== 'refused') attempt.isPermanent = false;
    // In clear this time, on a new connection, after the other hosts.
    const isInClear = peers.inClear.get(endpointOf(candidate)) !== undefined;
    if (failure.kind === 'tls' && isInClear && !attempt.redialled.includes(candidate)) {
      attempt.candidates!.push(candidate);
      attempt.redialled = [...attempt.redialled, candidate];
    }
    connectAnew(attempt);
  }

  function nobodyLeft(attempt: Attempt) {
    attempt.reached = 'none';
    const { refused } = attempt;
    if (!refused) return answerFromCache(attempt);
    const outcome = attempt.isPermanent ? 'failed' : 'deferred';
    const detail = unopenedDetail(refused.candidate, refused.failure, outcome, clock.now());
    next.conclude(attempt, outcome, attempt.earlier ? { ...detail, earlier: attempt.earlier } : detail);
  }

  /** All hosts failed recently: none is asked, and it does not count as an attempt. */
  function answerFromCache(attempt: Attempt) {
    const endpoints = attempt.destination.endpoints;
    const soonest = Math.min(...endpoints.map((endpoint) => peers.unreachable.until(endpoint) ?? 0));
    const reason = peers.unreachable.get(endpoints[0]!) ?? 'no host could be connected to';
    const reply = `${NOT_NOW}: ${reason}`;
    const detail: AttemptDetail = { at: clock.now(), status: '4.4.1', reply, remote: false };
    const notBeforeMs = clock.now() + Math.max(0, Math.ceil(soonest - clock.monotonic()));
    for (const { row } of attempt.left)
      attempt.results.push({ row, kind: 'deferred', detail, countsAsAttempt: false, notBeforeMs });
    attempt.left = [];
    next.finish(attempt);
  }

  /**
   * The peer may have closed an idle connection meanwhile; a new connection without an answer means a failed host.
   */
  function unanswered(
    attempt: Attempt,
    { connection }: Pooled,
    wasKept: boolean,
    { reply, remote }: TransactionResult,
  ) {
    if (wasKept && attempt.candidates === undefined) return connectAnew(attempt);
    const { host, address, port } = connection;
    const reason = typeof reply.text === 'string' ? reply.text : reply.text.join(' ');
    const failure: OpeningFailure = { kind: 'connection', step: 'mail', reason, ...(remote && { reply }) };
    attempt.isPermanent = false;
    supersede(attempt, { candidate: { host, address, port }, failure, tls: tlsOf(connection) });
    attempt.candidates ??= [];
    connectAnew(attempt);
  }

  return { connect, unanswered };
}
