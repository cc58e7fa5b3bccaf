/**
 * The mail exchangers of a domain (RFC 5321 5.1): MX by preference, the domain's own address if there is none, nobody
 * for a null MX (RFC 7505). If this node is among them, only exchangers preferred to it may be tried.
 */
import type { DnsAnswer, Mx } from '../world/resolver.ts';
import { inOrder } from './addresses.ts';
import { DELIVERY_LIMITS } from './limits.ts';
import type { RouteContext } from './route.ts';
import { type Host, noRoute, type Route } from './types.ts';

export async function exchangerRoute(domain: string, context: RouteContext): Promise<Route> {
  const answer = await context.services.resolver.resolve(domain, 'MX');
  if (answer.kind === 'unknown')
    return noRoute('deferred', '4.4.3', `DNS did not answer for ${domain}: ${answer.reason}`);
  if (answer.kind === 'none' && answer.nxdomain)
    return noRoute('failed', '5.1.2', `the domain ${domain} does not exist`);
  const exchangers = exchangersOf(domain, answer);
  if (exchangers.length === 0) return noRoute('failed', '5.1.10', `${domain} accepts no mail (null MX)`);

  const found = await Promise.all(exchangers.map((exchanger) => locate(exchanger, context)));
  const ownPreference = Math.min(...found.filter(({ isOwn }) => isOwn).map(({ preference }) => preference));
  const usable = found.filter(({ preference, host }) => preference < ownPreference && host.length > 0);
  if (usable.length > 0) {
    const groups = Map.groupBy(usable, ({ preference }) => preference);
    return { kind: 'hosts', groups: [...groups.values()].map((group) => group.map(({ host }) => host)) };
  }
  if (found.some(({ isUnknown, preference }) => isUnknown && preference < ownPreference))
    return noRoute('deferred', '4.4.3', `DNS did not answer for the mail exchangers of ${domain}`);
  if (Number.isFinite(ownPreference)) return noRoute('failed', '5.4.6', `mail for ${domain} leads back to this node`);
  return noRoute('failed', '5.4.4', `no mail exchanger of ${domain} has an address`);
}

/** Sorted; empty for a null MX. */
function exchangersOf(domain: string, answer: DnsAnswer<Mx>): readonly Mx[] {
  if (answer.kind !== 'found') return [{ preference: 0, exchange: domain }];
  return answer.records
    .filter(({ exchange }) => exchange !== '' && exchange !== '.')
    .sort((a, b) => a.preference - b.preference)
    .slice(0, DELIVERY_LIMITS.exchangers);
}

interface Located {
  readonly preference: number;
  readonly isUnknown: boolean;
  readonly host: Host;
  readonly isOwn: boolean;
}

async function locate({ preference, exchange }: Mx, context: RouteContext): Promise<Located> {
  const name = exchange.toLowerCase();
  const found = await context.services.resolveHost(name, { hostsFile: false });
  const addresses = found.kind === 'found' ? inOrder(found.addresses, context.rules) : [];
  const host = addresses.map((address) => ({ host: name, address, port: context.exchangerPort }));
  const isOwn = host.some((candidate) => context.own.isOwnExchanger(candidate));
  return { preference, host, isOwn, isUnknown: found.kind === 'unknown' };
}
