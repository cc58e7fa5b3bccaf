/**
 * The receivers of the reports of a domain (RFC 9990 4): the `mailto:` addresses in its record, within a bound; an
 * address of another organisation only if that one has agreed in the DNS, since anyone could publish a foreign
 * address and have the world send it reports.
 */
import { parseAddress } from '../../protocol/smtp/address.ts';
import type { Resolver } from '../../world/resolver.ts';
import { REPORT_ADDRESSES } from '../limits.ts';
import { tagOf, txtRecords } from './dns.ts';

export interface Destinations {
  readonly addresses: readonly string[];
  /** Addresses that get none, each with the reason. */
  readonly refused: readonly string[];
  /** The DNS did not answer for one: ask again later. */
  readonly cannotTell: readonly string[];
}

type Agreement =
  | { readonly kind: 'agreed'; readonly instead?: string }
  | { readonly kind: 'refused' | 'cannot-tell'; readonly reason: string };

export async function destinationsOf(
  resolver: Resolver,
  policyDomain: string,
  uris: readonly string[],
): Promise<Destinations> {
  const addresses = new Set<string>();
  const refused: string[] = [];
  const cannotTell: string[] = [];
  for (const uri of uris.slice(0, REPORT_ADDRESSES)) {
    const address = mailtoAddress(uri);
    if (!address) {
      refused.push(`${uri.slice(0, 200)} is no mailto address`);
      continue;
    }
    const agreement = await agreementOf(resolver, policyDomain, address.domain);
    if (agreement.kind === 'agreed') addresses.add(agreement.instead ?? address.text);
    else (agreement.kind === 'refused' ? refused : cannotTell).push(`${address.text}: ${agreement.reason}`);
  }
  return { addresses: [...addresses], refused, cannotTell };
}

/** RFC 9989 4.7: a URI; an obsolete `!size` after it is ignored. Other schemes are not supported. */
export function mailtoAddress(uri: string): { readonly text: string; readonly domain: string } | undefined {
  const match = /^mailto:([^?!]{1,500})(?:[?!].*)?$/i.exec(uri.trim());
  if (!match) return undefined;
  try {
    const address = parseAddress(decodeURIComponent(match[1]!), false);
    if (!address.ok || address.value.domain.startsWith('[') || address.value.domain === '') return undefined;
    // In the form for the wire: a local part may need its quotes.
    return { text: address.value.text, domain: address.value.domain };
  } catch {
    return undefined;
  }
}

async function agreementOf(resolver: Resolver, policyDomain: string, host: string): Promise<Agreement> {
  if (host === policyDomain || host.endsWith(`.${policyDomain}`)) return { kind: 'agreed' };
  const inside = await isSameOrganisation(resolver, policyDomain, host);
  if (inside) return { kind: 'agreed' };
  const name = `${policyDomain}._report._dmarc.${host}`;
  const answer = await txtRecords(resolver, name, 'v=DMARC1');
  if (answer.kind === 'cannot-tell') return answer;
  const [record] = answer.records;
  if (record === undefined)
    return { kind: 'refused', reason: `${host} has not agreed to take reports on ${policyDomain} (${name})` };
  // RFC 9990 4: the other organisation may choose another address of its own.
  const instead = mailtoAddress(tagOf(record, 'rua')?.split(',', 1)[0] ?? '');
  return instead?.domain === host ? { kind: 'agreed', instead: instead.text } : { kind: 'agreed' };
}

/** Both are below a domain that has a policy of its own and is no public suffix (RFC 9989 4.10). */
async function isSameOrganisation(resolver: Resolver, one: string, other: string): Promise<boolean> {
  const common = commonParent(one, other);
  if (common === undefined) return false;
  const answer = await txtRecords(resolver, `_dmarc.${common}`, 'v=DMARC1');
  return (
    answer.kind === 'records' && answer.records.length === 1 && tagOf(answer.records[0]!, 'psd')?.toLowerCase() !== 'y'
  );
}

/** Of at least two labels. */
function commonParent(one: string, other: string): string | undefined {
  const labels: string[] = [];
  const ones = one.split('.').reverse();
  const others = other.split('.').reverse();
  while (labels.length < ones.length && ones[labels.length] === others[labels.length])
    labels.push(ones[labels.length]!);
  return labels.length >= 2 ? labels.reverse().join('.') : undefined;
}
