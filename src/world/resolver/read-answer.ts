/** What a message answers about a name: its records, that there are none, or where its alias points. */
import { DNS_LIMITS } from '../limits.ts';
import type { RecordType, RecordTypes } from '../resolver.ts';
import { type DnsMessage, decodeData, denialSeconds, RCODE, TYPE_CODES } from './wire.ts';

export type Read<T> =
  | { readonly kind: 'found'; readonly records: readonly T[]; readonly ttlSeconds: number; readonly hops: number }
  | { readonly kind: 'none'; readonly nxdomain: boolean; readonly ttlSeconds: number }
  /** The chain leads out of this message: ask for `target`. */
  | { readonly kind: 'alias'; readonly target: string; readonly ttlSeconds: number; readonly hops: number }
  /** A loop, or an endless chain: a property of the zone, whichever server is asked. */
  | { readonly kind: 'endless' };

/** Undefined: data that does not fit its type. */
export function readAnswer<K extends RecordType>(
  name: string,
  type: K,
  message: DnsMessage,
): Read<RecordTypes[K]> | undefined {
  const wanted = TYPE_CODES[type];
  let owner = name;
  let ttlSeconds: number = DNS_LIMITS.ttlSeconds;
  for (let hops = 0; hops <= DNS_LIMITS.aliasHops; hops++) {
    const records: RecordTypes[K][] = [];
    let target: string | undefined;
    for (const record of message.answers) {
      if (record.name !== owner) continue;
      if (record.type === wanted) {
        const value = decodeData(message, record, type);
        if (value === undefined) return undefined;
        records.push(value);
      } else if (record.type === TYPE_CODES.CNAME) {
        target = decodeData(message, record, 'CNAME');
        if (target === undefined) return undefined;
      } else continue;
      ttlSeconds = Math.min(ttlSeconds, record.ttlSeconds);
    }
    if (records.length > 0) return { kind: 'found', records, ttlSeconds, hops };
    if (target === undefined) return atTheEnd(owner, message, ttlSeconds, hops);
    owner = target;
  }
  return { kind: 'endless' };
}

/** RFC 6604 3: the response code applies to the last name of the chain. */
function atTheEnd(owner: string, message: DnsMessage, ttlSeconds: number, hops: number): Read<never> {
  const nxdomain = message.rcode === RCODE.nxDomain;
  const soa = message.authorities.find((record) => record.type === TYPE_CODES.SOA);
  if (hops > 0 && !nxdomain && !soa) return { kind: 'alias', target: owner, ttlSeconds, hops };
  const denied = soa ? (denialSeconds(message, soa) ?? 0) : DNS_LIMITS.bareDenialSeconds;
  return { kind: 'none', nxdomain, ttlSeconds: Math.min(denied, DNS_LIMITS.denialSeconds, ttlSeconds) };
}
