/**
 * The resolver of `world/resolver.ts`: a caching stub over recursive name servers.
 *
 * Equal questions that are under way share one answer. Answers are kept for their TTL, denials as RFC 2308 says,
 * failures a few seconds. Questions under way are bounded, and shared fairly between the clients that cause them
 * (places.ts). Never throws for what name servers do. An outage is one event when it begins and one when it ends;
 * while it lasts every question is still asked, but waited for only briefly.
 */
import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import { DNS_LIMITS } from '../limits.ts';
import type { Random } from '../random.ts';
import type { DnsAnswer, RecordType, RecordTypes, Resolver, SharingResolver } from '../resolver.ts';
import { ask, type Failure } from './ask.ts';
import { type AnyAnswer, createAnswerCache } from './cache.ts';
import { createLookUps } from './look-ups.ts';
import { createOutageWatch } from './outage.ts';
import { createOwned, type Join } from './owned.ts';
import { createPlaces, type PlaceFigures } from './places.ts';
import { readAnswer } from './read-answer.ts';
import { fixedServers, type ServerAddress, systemServers } from './servers.ts';
import { type DnsMessage, encodeQuestion, ROOT_SERVERS } from './wire.ts';

export interface ResolverServices {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
}

export interface ResolverOptions {
  /** Default: those of resolv.conf, read again when it changes. */
  readonly servers?: readonly ServerAddress[];
  readonly resolvConf?: string;
  /** Addresses whose AD bit counts although they are not on this machine. */
  readonly trusted?: readonly string[];
  /** DNS 0x20; some servers do not repeat the case of the letters. */
  readonly mixCase?: boolean;
}

export interface StubResolver extends SharingResolver {
  /** Asks again whatever is cached, to check whether a record is published by now; the cache gets the new answer. */
  readonly fresh: Resolver;
  places(): PlaceFigures;
}

type Answer<K extends RecordType> = DnsAnswer<RecordTypes[K]>;

export function createResolver(services: ResolverServices, options: ResolverOptions = {}): StubResolver {
  const { clock, events } = services;
  const trusted = options.trusted ?? [];
  const servers = options.servers?.length
    ? fixedServers(options.servers, trusted, clock)
    : systemServers(options.resolvConf ?? '/etc/resolv.conf', trusted, clock);
  const askServices = { clock, random: services.random, mixCase: options.mixCase ?? false };
  const cache = createAnswerCache(clock);
  const places = createPlaces(clock, events);
  const lookUps = createLookUps(places);
  const outage = createOutageWatch(clock, events, anyResponds);

  /** Bypasses places and cache: it must be asked now, and costs one question an outage. */
  async function anyResponds(): Promise<boolean> {
    const { signal } = new AbortController();
    const question = { bytes: ROOT_SERVERS, read: () => true, withinMs: DNS_LIMITS.outageQuestionMs, signal };
    const asked = await ask(servers.inOrder(), question, askServices);
    return asked.kind === 'answer' || asked.responded;
  }

  /** Follows a chain that leads out of one message by asking again. */
  async function follow<K extends RecordType>(name: string, type: K, signal: AbortSignal): Promise<Answer<K>> {
    let owner = name;
    const withinMs = outage.isOn() ? DNS_LIMITS.outageQuestionMs : DNS_LIMITS.questionMs;
    const until = clock.monotonic() + withinMs;
    let [ttlSeconds, authentic]: [number, boolean] = [DNS_LIMITS.ttlSeconds, true];
    for (let hops = 0; hops <= DNS_LIMITS.aliasHops; ) {
      const question = encodeQuestion(owner, type);
      // A name that cannot be asked cannot exist.
      if (!question) return { kind: 'none', nxdomain: true, ttlSeconds: DNS_LIMITS.denialSeconds, authentic: false };
      const order = servers.inOrder();
      const read = (message: DnsMessage) => readAnswer(owner, type, message);
      const askedAt = clock.monotonic();
      const asked = await ask(order, { bytes: question, read, withinMs, signal }, askServices);
      if (signal.aborted) return unknown('timeout');
      if (asked.kind === 'failure') {
        await outage.failed({ servers: order, reason: asked.reason, responded: asked.responded, askedAt });
        return unknown(asked.reason);
      }
      outage.answered();
      authentic &&= asked.authentic;
      const { answer } = asked;
      if (answer.kind === 'endless') return unknown('malformed');
      ttlSeconds = Math.min(ttlSeconds, answer.ttlSeconds);
      if (answer.kind === 'found') return { kind: 'found', records: answer.records, ttlSeconds, authentic };
      if (answer.kind === 'none') return { kind: 'none', nxdomain: answer.nxdomain, ttlSeconds, authentic };
      owner = answer.target;
      hops += answer.hops;
      if (clock.monotonic() >= until) return unknown('timeout');
    }
    return unknown('malformed');
  }

  const join: Join = (key, name, type, waiter) =>
    lookUps.join(key, waiter, async (signal) => {
      const answer = await follow(name, type, signal);
      // A question that was given up says nothing about the name.
      if (!signal.aborted) cache.put(key, answer, secondsToKeep(answer));
      return answer;
    });

  const resolving = (isFresh: boolean): Resolver => ({
    resolve<K extends RecordType>(name: string, type: K, signal?: AbortSignal): Promise<Answer<K>> {
      if (signal?.aborted) return Promise.reject(signal.reason);
      const owner = name.toLowerCase();
      const key = `${type} ${owner}`;
      const known = isFresh ? undefined : (cache.get(key) as Answer<K> | undefined);
      return known ? Promise.resolve(known) : ofOurOwn(join, key, owner, type, signal);
    },
  });
  const source = resolving(false);
  return {
    ...source,
    forget: cache.clear,
    fresh: resolving(true),
    for: (owner) => createOwned(source, owner, cache.get, join),
    places: places.figures,
  };
}

function unknown(reason: Failure): { readonly kind: 'unknown'; readonly reason: Failure } {
  return { kind: 'unknown', reason };
}

function secondsToKeep(answer: AnyAnswer): number {
  if (answer.kind === 'unknown') return DNS_LIMITS.failureSeconds;
  return answer.kind === 'found' ? Math.max(answer.ttlSeconds, DNS_LIMITS.leastTtlSeconds) : answer.ttlSeconds;
}

/** With a signal this asker may leave; the question goes on while others wait for it. */
function ofOurOwn<K extends RecordType>(
  join: Join,
  key: string,
  name: string,
  type: K,
  signal: AbortSignal | undefined,
): Promise<Answer<K>> {
  return new Promise((resolve, reject) => {
    const done = (): void => signal?.removeEventListener('abort', abort);
    const abort = (): void => {
      reject(signal!.reason);
      leave();
    };
    const leave = join(key, name, type, {
      owner: undefined,
      answered(answer) {
        done();
        resolve(answer as Answer<K>);
      },
      failed() {
        done();
        resolve(unknown('too-many'));
      },
      broke(error) {
        done();
        reject(error);
      },
      waits() {},
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
