/**
 * DNS block lists (RFC 5782): whether one of this node's public addresses is on any.
 *
 * Only an answer in 127.0.0.0/8 is a listing. A list's refusal (Spamhaus answers 127.255.255.x to public resolvers),
 * a time-out, another address (a resolver that rewrites), or a list that fails its own test entries is `cannot tell`.
 */
import { reverseName } from '../screen/checks/reverse-lookup/reverse.ts';
import type { DnsAnswer, Resolver } from '../world/resolver.ts';
import { shown, textsOf } from './answers.ts';
import type { PostureContext } from './context.ts';
import { type About, cannotTell, good, type PostureResult, problem, unanswered } from './types.ts';

const LISTED = {
  code: 'listed',
  severity: 'critical',
  why: 'Servers that ask this list refuse your mail or take it for spam. Find out why it is listed (a hijacked account or machine, a range that should not send), mend that first, then ask the list to remove it.',
} as const;

/** RFC 5782 5: every list of IPv4 addresses lists the first and does not list the second. */
const TEST_ENTRY = '127.0.0.2';
const NEVER_LISTED = '127.0.0.1';

/** The meanings of the codes of well-known lists. */
const MEANINGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'zen.spamhaus.org': {
    '127.0.0.2': 'SBL: sends or supports spam',
    '127.0.0.3': 'CSS: sends spam of low repute',
    '127.0.0.4': 'XBL: hijacked machine',
    '127.0.0.9': 'DROP: a range of criminals',
    '127.0.0.10': 'PBL: a range whose provider says that it should send no mail',
    '127.0.0.11': 'PBL: a range that should send no mail',
  },
  'bl.spamcop.net': { '127.0.0.2': 'reported by users lately' },
};

export async function checkDnsLists(context: PostureContext): Promise<readonly PostureResult[]> {
  const { dnsLists, node, resolver } = context;
  if (node.reachable.length === 0)
    return [
      cannotTell(
        { test: 'dns-list', subject: node.hostname },
        'this node knows no public address of its own',
        'Set smtp.publicAddresses to the addresses that other servers see.',
      ),
    ];
  const results = await Promise.all(dnsLists.map((list) => checkList(list, node.reachable, resolver)));
  return results.flat();
}

async function checkList(list: string, addresses: readonly string[], resolver: Resolver) {
  const ask = (address: string): Promise<DnsAnswer<string>> => resolver.resolve(`${reversed(address)}.${list}`, 'A');
  const [listed, notListed] = await Promise.all([ask(TEST_ENTRY), ask(NEVER_LISTED)]);
  const about = (subject: string): About => ({ test: 'dns-list', subject });
  const fault = faultOf(list, listed, notListed);
  if (fault !== undefined) return addresses.map((address) => cannotTell(about(address), fault.seen, fault.why));
  return Promise.all(
    addresses.map(async (address) => {
      const answer = await ask(address);
      if (answer.kind === 'unknown') return unanswered(about(address), list, answer);
      if (answer.kind === 'none') return good(about(address), `not on ${list}`);
      const codes = answer.records.filter(isListing);
      if (codes.length === 0) return refusedBy(about(address), list, answer.records);
      const reason = await reasonOf(`${reversed(address)}.${list}`, resolver);
      const meant = codes.map((code) => MEANINGS[list]?.[code] ?? code).join('; ');
      return problem(about(address), LISTED, `on ${list} (${meant})${reason}`);
    }),
  );
}

/** Numbers or nibbles, last first (RFC 5782 2.1 and 2.4). */
function reversed(address: string): string {
  return reverseName(address).replace(/\.(in-addr|ip6)\.arpa$/, '');
}

/** Why the answers of this list cannot be trusted; undefined if they can. */
function faultOf(
  list: string,
  listed: DnsAnswer<string>,
  notListed: DnsAnswer<string>,
): { readonly seen: string; readonly why: string } | undefined {
  if (listed.kind === 'unknown') return { seen: `${list} did not answer: ${listed.reason}`, why: 'Ask again later.' };
  if (notListed.kind === 'found' && notListed.records.some(isListing))
    return {
      seen: `${list} lists ${NEVER_LISTED}`,
      why: 'A list that lists everything is dead: remove it from posture.dnsLists.',
    };
  if (listed.kind === 'found') {
    if (listed.records.some(isListing)) return undefined;
    const { seen, why } = refusedBy({ test: 'dns-list', subject: '' }, list, listed.records);
    return { seen, why };
  }
  return {
    seen: `${list} does not list its own test entry ${TEST_ENTRY}`,
    why: 'The list is closed, or its answers do not reach us: use a resolver of your own (POSTERN_DNS_SERVERS), or remove it from posture.dnsLists.',
  };
}

/** RFC 5782 2.3; 127.255.255.x is an error by convention of Spamhaus and others. */
function isListing(code: string): boolean {
  return code.startsWith('127.') && !code.startsWith('127.255.255.');
}

function refusedBy(about: About, list: string, codes: readonly string[]): PostureResult {
  const isRefusal = codes.some((code) => code.startsWith('127.255.255.'));
  const seen = `${list} answered ${codes.join(', ')}, which is ${isRefusal ? 'a refusal' : 'no answer of a block list'}`;
  return cannotTell(
    about,
    seen,
    'Lists refuse public resolvers and heavy use: ask through a resolver of your own (POSTERN_DNS_SERVERS).',
  );
}

/** The list's own explanation, often with an address for questions. */
async function reasonOf(name: string, resolver: Resolver): Promise<string> {
  const answer = await textsOf(resolver, name);
  return answer.kind === 'texts' && answer.texts[0] ? `: ${shown(answer.texts[0])}` : '';
}
