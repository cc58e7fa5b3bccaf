/**
 * MX: the servers that take mail for the domain (RFC 5321 5.1). Good when every exchanger has an address and leads to
 * this node, or is one that the operator named.
 */
import { isIP } from 'node:net';
import type { DnsAnswer, Mx } from '../world/resolver.ts';
import type { PostureContext } from './context.ts';
import { POSTURE_LIMITS } from './limits.ts';
import { type About, cannotTell, good, type PostureResult, problem, unanswered } from './types.ts';
import { zoneLine } from './zone-lines.ts';

const MX = {
  missing: {
    code: 'missing',
    severity: 'important',
    why: 'Without an MX record mail goes to the address of the domain itself, if it has one: often a web server.',
  },
  nullMx: {
    code: 'null-mx',
    severity: 'critical',
    why: 'A null MX (RFC 7505) says that the domain accepts no mail: other servers return everything at once.',
  },
  nullAmongOthers: {
    code: 'null-mx-among-others',
    severity: 'critical',
    why: 'A null MX must be the only MX record (RFC 7505 3): some servers return everything at once. Remove it.',
  },
  address: {
    code: 'address',
    severity: 'critical',
    why: 'An MX record must hold a name, not an address (RFC 1035 3.3.9): other servers find no such host.',
  },
  alias: {
    code: 'alias',
    severity: 'important',
    why: 'An MX record must not name an alias (RFC 2181 10.3, RFC 5321 5.1): some servers refuse to follow it.',
  },
  noAddress: {
    code: 'no-address',
    severity: 'critical',
    why: 'The exchanger has no address: mail for it waits, and is returned where it is the only one.',
  },
  elsewhere: {
    code: 'elsewhere',
    severity: 'important',
    why: 'Mail that comes by this exchanger passes this node by, and spam looks for such a way. If it is meant, add it to the setting posture.exchangers.',
  },
} as const;

export async function checkMx(domain: string, context: PostureContext): Promise<readonly PostureResult[]> {
  const about: About = { test: 'mx', subject: domain };
  const answer = await context.resolver.resolve(domain, 'MX');
  const publish = [zoneLine(domain, 'MX', `10 ${context.node.hostname}.`)];
  if (answer.kind === 'unknown') return [unanswered(about, domain, answer)];
  if (answer.kind === 'none') return [problem(about, MX.missing, `${domain} has no MX record`, publish)];
  const named = answer.records.filter(({ exchange }) => !isNull(exchange));
  if (named.length === 0) return [problem(about, MX.nullMx, `${domain} has a null MX`, publish)];
  const hosts = [...named].sort((a, b) => a.preference - b.preference).slice(0, POSTURE_LIMITS.exchangers);
  const results = await Promise.all(hosts.map((mx) => checkExchanger(about, mx, context)));
  if (named.length === answer.records.length) return results;
  return [problem(about, MX.nullAmongOthers, `${domain} has a null MX beside others`), ...results];
}

/** RFC 7505 3: the root. */
function isNull(exchange: string): boolean {
  return exchange === '' || exchange === '.';
}

async function checkExchanger(about: About, { preference, exchange }: Mx, context: PostureContext) {
  const host = exchange.toLowerCase();
  const { resolver, node } = context;
  const line = (name: string): string => zoneLine(about.subject, 'MX', `${preference} ${name}.`);
  if (isIP(host)) return problem(about, MX.address, `the MX record holds ${host}`, [line(node.hostname)]);
  const [alias, ...answers] = await Promise.all([
    resolver.resolve(host, 'CNAME'),
    resolver.resolve(host, 'A'),
    resolver.resolve(host, 'AAAA'),
  ]);
  if (alias.kind === 'found') {
    const target = alias.records[0]!;
    return problem(about, MX.alias, `${host} (${preference}) is an alias of ${target}`, [line(target)]);
  }
  return verdictOn(about, { host, preference }, answers, context);
}

function verdictOn(
  about: About,
  { host, preference }: { readonly host: string; readonly preference: number },
  answers: readonly DnsAnswer<string>[],
  { node, exchangers }: PostureContext,
): PostureResult {
  const addresses = answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : []));
  const unknown = answers.find((answer) => answer.kind === 'unknown');
  const ours = host === node.hostname || addresses.some((address) => node.reachable.includes(address));
  const seen = `${host} (${preference}) has ${addresses.join(', ')}`;
  if (addresses.length === 0) {
    if (unknown) return unanswered(about, host, unknown);
    const publish = ours ? node.reachable.map((address) => addressLine(host, address)) : [];
    return problem(about, MX.noAddress, `${host} (${preference}) has neither A nor AAAA records`, publish);
  }
  if (ours) return good(about, `${seen} and leads to this node`);
  if (exchangers.includes(host)) return good(about, `${seen} and is expected (posture.exchangers)`);
  // An address that was not answered could be one of ours.
  if (unknown) return unanswered(about, host, unknown);
  if (node.reachable.length === 0)
    return cannotTell(about, seen, 'This node knows no public address of its own: set smtp.publicAddresses.');
  return problem(about, MX.elsewhere, `${seen}, none of which is this node's`);
}

export function addressLine(name: string, address: string): string {
  return zoneLine(name, address.includes(':') ? 'AAAA' : 'A', address);
}
