/**
 * Reverse look-ups: whether the names that a client sends, and has, resolve back to it.
 *
 * Only a denial of the DNS is "no": a time-out or SERVFAIL is "cannot tell" and counts against nobody. The number of
 * names that are followed is bounded.
 */
import { isIP } from 'node:net';
import { UNKNOWN_ADDRESS } from '../../../model/session.ts';
import { heloIdentity } from '../../../protocol/smtp/domain.ts';
import { canonicalAddress, isLoopback } from '../../../wire/network.ts';
import type { Resolver } from '../../../world/resolver.ts';
import type { CheckServices, Views } from '../../engine/check.ts';
import { AUTHENTICATION_LIMITS } from '../origin/limits.ts';
import { trustedRelays } from '../origin/spf/relays.ts';
import type { NotMade } from '../origin/types.ts';

export type PtrResult = 'confirmed' | 'missing' | 'mismatch' | 'cannot-tell';
export type HeloResult = 'match' | 'mismatch' | 'not-found' | 'cannot-tell';
export type MailResult = 'found' | 'no-mx' | 'null-mx' | 'not-found' | 'cannot-tell';

export type PtrEvidence = { readonly made: true; readonly result: PtrResult; readonly names: readonly string[] };
export type HeloEvidence = { readonly made: true; readonly result: HeloResult; readonly helo: string };
export type MailEvidence = { readonly made: true; readonly result: MailResult; readonly domain: string };

const notMade = (why: NotMade['why']): NotMade => Object.freeze({ made: false, why });
const LOOPBACK = notMade('loopback');
const RELAY = notMade('relay');
const SUBMISSION = notMade('direct');
export const NULL_PATH: NotMade = SUBMISSION;

/** This machine, our relays, and mail programs behind NAT are exempt from name look-ups. */
export function spared({ facts, isHidden }: Views['mail'], { settings }: CheckServices): NotMade | undefined {
  if (facts.profile !== 'mx') return SUBMISSION;
  if (isLoopback(facts.client.address) && !isHidden) return LOOPBACK;
  return trustedRelays(settings).has(facts.client.address) ? RELAY : undefined;
}

/** PTR with forward confirmation (RFC 8601 3): a name of the address that has the address. */
export async function confirmPtr(resolver: Resolver, client: string): Promise<PtrEvidence> {
  if (client === UNKNOWN_ADDRESS) return { made: true, result: 'cannot-tell', names: [] };
  const answer = await resolver.resolve(reverseName(client), 'PTR');
  if (answer.kind === 'unknown') return { made: true, result: 'cannot-tell', names: [] };
  if (answer.kind === 'none') return { made: true, result: 'missing', names: [] };
  const names = answer.records.slice(0, AUTHENTICATION_LIMITS.ptrNames).map((name) => name.toLowerCase());
  const found = await Promise.all(names.map((name) => hasAddress(resolver, name, client)));
  const confirmed = names.filter((_, index) => found[index] === 'yes');
  if (confirmed.length > 0) return { made: true, result: 'confirmed', names: confirmed };
  return { made: true, result: found.includes('cannot-tell') ? 'cannot-tell' : 'mismatch', names };
}

export async function lookUpHelo(resolver: Resolver, said: string, client: string): Promise<HeloEvidence> {
  const helo = heloIdentity(said);
  if (client === UNKNOWN_ADDRESS) return { made: true, result: 'cannot-tell', helo };
  const literal = /^\[(?:ipv6:)?([0-9a-f:.]+)\]$/.exec(helo)?.[1] ?? (isIP(helo) ? helo : undefined);
  if (literal !== undefined)
    return { made: true, result: canonicalAddress(literal) === client ? 'match' : 'mismatch', helo };
  const has = await hasAddress(resolver, helo, client);
  const result = has === 'yes' ? 'match' : has === 'no' ? 'mismatch' : has;
  return { made: true, result, helo };
}

/** Whether a bounce could be delivered: MX, else an address (RFC 5321 5.1); a null MX denies it (RFC 7505). */
export async function lookUpMailDomain(resolver: Resolver, domain: string): Promise<MailEvidence> {
  const answer = (result: MailResult): MailEvidence => ({ made: true, result, domain });
  if (domain.startsWith('[')) return answer('found');
  const mx = await resolver.resolve(domain, 'MX');
  if (mx.kind === 'unknown') return answer('cannot-tell');
  if (mx.kind === 'found') {
    const isNull = mx.records.length === 1 && (mx.records[0]!.exchange === '' || mx.records[0]!.exchange === '.');
    return answer(isNull ? 'null-mx' : 'found');
  }
  if (mx.nxdomain) return answer('not-found');
  const [four, six] = await Promise.all([resolver.resolve(domain, 'A'), resolver.resolve(domain, 'AAAA')]);
  if (four.kind === 'found' || six.kind === 'found') return answer('no-mx');
  return answer(four.kind === 'unknown' || six.kind === 'unknown' ? 'cannot-tell' : 'not-found');
}

async function hasAddress(
  resolver: Resolver,
  name: string,
  client: string,
): Promise<'yes' | 'no' | 'not-found' | 'cannot-tell'> {
  const answer = await resolver.resolve(name, client.includes(':') ? 'AAAA' : 'A');
  if (answer.kind === 'unknown') return 'cannot-tell';
  if (answer.kind === 'none') return answer.nxdomain ? 'not-found' : 'no';
  return answer.records.some((address) => canonicalAddress(address) === client) ? 'yes' : 'no';
}

/** RFC 1035 3.5, RFC 3596 2.5. */
export function reverseName(address: string): string {
  if (!address.includes(':')) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const [head = '', tail = ''] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const digits = [...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}
