/**
 * Whether a client's address is one of a host's: the operator entered the names, so the hosts file counts. Answers
 * are cached for their TTL; equal questions under way are shared. Three answers: an address that is missing from an
 * incomplete answer proves nothing.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { MaybePromise } from '../../model/maybe-promise.ts';
import type { Clock } from '../../world/clock.ts';
import type { HostAnswer, ResolveHost } from '../../world/hosts-file.ts';
import { createCache } from '../cache.ts';
import { HOST_FAILURE_SECONDS, HOST_TTL_SECONDS, MAIL_SERVERS } from '../limits.ts';

export type ThreeAnswers = 'yes' | 'no' | 'cannot-tell';

/** `clientAddress`: textual, in the form of sockets. */
export type HostHasAddress = (host: string, clientAddress: string) => MaybePromise<ThreeAnswers>;

interface Known {
  readonly addresses: ReadonlySet<string>;
  readonly complete: boolean;
  /** By the monotonic clock. */
  readonly until: number;
}

export function createHostAddresses(resolveHost: ResolveHost, clock: Clock): HostHasAddress {
  const known = createCache<Known>(MAIL_SERVERS);
  const underWay = new Map<string, Promise<Known>>();

  async function ask(host: string): Promise<Known> {
    try {
      const addresses = toKnown(await resolveHost(host, { hostsFile: true }), clock.monotonic());
      known.set(host, addresses);
      return addresses;
    } finally {
      underWay.delete(host);
    }
  }

  return (host, clientAddress) => {
    if (isIP(host)) return canonical(host) === clientAddress ? 'yes' : 'no';
    const fresh = known.get(host);
    if (fresh && fresh.until > clock.monotonic()) return verdict(fresh, clientAddress);
    const asked = underWay.get(host) ?? ask(host);
    underWay.set(host, asked);
    return asked.then((answer) => verdict(answer, clientAddress));
  };
}

function verdict({ addresses, complete }: Known, clientAddress: string): ThreeAnswers {
  if (addresses.has(clientAddress)) return 'yes';
  return complete ? 'no' : 'cannot-tell';
}

function toKnown(answer: HostAnswer, now: number): Known {
  const complete = answer.kind === 'found' ? answer.complete : answer.kind === 'none';
  const addresses = new Set(answer.kind === 'found' ? answer.addresses : []);
  return { addresses, complete, until: now + (complete ? keptSeconds(answer) : HOST_FAILURE_SECONDS) * 1000 };
}

function keptSeconds(answer: HostAnswer): number {
  const ttlSeconds = answer.kind === 'unknown' ? 0 : answer.ttlSeconds;
  return Math.min(Math.max(ttlSeconds, HOST_TTL_SECONDS.least), HOST_TTL_SECONDS.most);
}

function canonical(address: string): string {
  return ipaddr.process(address).toString();
}
