/**
 * One question to as many servers as needed: the best first, the next when that one is silent or cannot help; a late
 * answer of the first still counts. Ends within `withinMs`.
 */
import type { Clock } from '../clock.ts';
import { DNS_LIMITS } from '../limits.ts';
import type { Random } from '../random.ts';
import type { UnknownReason } from '../resolver.ts';
import { type Exchange, exchange, mixCase } from './exchange.ts';
import type { Server } from './servers.ts';
import { type DnsMessage, RCODE } from './wire.ts';

export type Failure = UnknownReason;

export type Asked<T> =
  /** `authentic`: the server set the AD bit, and this server is trusted to. */
  | { readonly kind: 'answer'; readonly answer: T; readonly authentic: boolean }
  /** `responded`: some server sent a response, so this is no outage. */
  | { readonly kind: 'failure'; readonly reason: Failure; readonly responded: boolean };

export interface AskServices {
  readonly clock: Clock;
  readonly random: Random;
  readonly mixCase: boolean;
}

export interface Question<T> {
  /** As `encodeQuestion` wrote it. */
  readonly bytes: Uint8Array;
  /** Undefined: the answer cannot be understood; another server may give a better one. */
  readonly read: (message: DnsMessage) => T | undefined;
  readonly withinMs: number;
  /** The asker is gone: ends as a failure, which counts against nobody. */
  readonly signal: AbortSignal;
}

export function ask<T>(servers: readonly Server[], question: Question<T>, services: AskServices): Promise<Asked<T>> {
  return new Promise((resolve) => {
    const { clock, random } = services;
    const abort = new AbortController();
    const tries = Math.max(DNS_LIMITS.tries, servers.length);
    /** Servers that answered that they cannot help are not asked twice. */
    const useless = new Set<Server>();
    let started = 0;
    let waiting = 0;
    let reason: Failure = 'timeout';
    let responded = false;
    let patience = clock.after(0, () => {});

    const end = (asked: Asked<T>): void => {
      patience.cancel();
      deadline.cancel();
      question.signal.removeEventListener('abort', unwanted);
      abort.abort();
      resolve(asked);
    };
    const unwanted = (): void => end({ kind: 'failure', reason, responded: true });
    const deadline = clock.after(question.withinMs, () => end({ kind: 'failure', reason, responded }), {
      keepAlive: true,
    });
    question.signal.addEventListener('abort', unwanted, { once: true });

    const next = (): void => {
      patience.cancel();
      while (started < tries && useless.has(servers[started % servers.length]!)) started += 1;
      if (started >= tries) {
        if (waiting === 0) end({ kind: 'failure', reason, responded });
        return;
      }
      const server = servers[started % servers.length]!;
      started += 1;
      waiting += 1;
      // Every server is asked before the time is up, however long the patience with the first.
      const patienceMs = Math.min(server.patienceMs(), question.withinMs / servers.length);
      patience = clock.after(patienceMs, () => {
        server.silent(patienceMs);
        next();
      });
      void tryServer(server);
    };

    const tryServer = async (server: Server): Promise<void> => {
      const startedAt = clock.monotonic();
      const exactCase = services.mixCase;
      const asked = exactCase ? mixCase(question.bytes, random) : question.bytes;
      const edns = server.usesEdns();
      let said = await exchange(server, { question: asked, edns, exactCase }, random, abort.signal);
      let got = understand(said, question.read);
      if (edns && dislikesEdns(said)) {
        said = await exchange(server, { question: asked, edns: false, exactCase }, random, abort.signal);
        got = understand(said, question.read);
        // A server that refuses the question with and without EDNS does so for its name: a name that a sender chose
        // must not change how others are asked.
        if ('answer' in got) server.refusedEdns();
      }
      waiting -= 1;
      if (said !== 'unreachable') {
        responded = true;
        server.answered(clock.monotonic() - startedAt);
      }
      if ('answer' in got) {
        const { answer, authentic } = got;
        return end({ kind: 'answer', answer, authentic: authentic && server.trusted });
      }
      if (got.failure === 'unreachable') server.silent(server.patienceMs());
      reason = got.failure;
      useless.add(server);
      next();
    };

    next();
  });
}

/** RFC 6891 7: FORMERR or NOTIMP from servers that do not know EDNS. */
function dislikesEdns(said: Exchange): boolean {
  return typeof said === 'object' && (said.rcode === RCODE.formErr || said.rcode === RCODE.notImp);
}

function understand<T>(
  said: Exchange,
  read: Question<T>['read'],
): { readonly answer: T; readonly authentic: boolean } | { readonly failure: Failure } {
  const failure = failureOf(said);
  if (failure) return { failure };
  const message = said as DnsMessage;
  const answer = read(message);
  return answer === undefined ? { failure: 'malformed' } : { answer, authentic: message.authentic };
}

function failureOf(said: Exchange): Failure | undefined {
  if (typeof said === 'string') return said;
  if (said.rcode === RCODE.refused) return 'refused';
  if (said.rcode !== RCODE.noError && said.rcode !== RCODE.nxDomain) return 'servfail';
  // Lame: it neither owns the name nor resolves for us, and has no answer.
  const hasNothing = said.answers.length === 0 && said.rcode === RCODE.noError;
  return hasNothing && !said.authoritative && !said.recursionAvailable ? 'servfail' : undefined;
}
