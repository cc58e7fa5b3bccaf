/**
 * SPF (RFC 7208): one record, whole, within the limits, ending in a denial, and permitting the
 * addresses that this node sends from.
 *
 * The record is evaluated, not just read: for an unused address of each family, with wider bounds than the
 * standard's, so that the evaluation reaches the end of the record and can report by how much it exceeds the limits;
 * then for each of our own addresses within the standard's limits.
 */
import { isIP } from 'node:net';
import type { Resolver } from '../world/resolver.ts';
import { shown, textsOf } from './answers.ts';
import type { PostureContext } from './context.ts';
import { POSTURE_LIMITS } from './limits.ts';
import type { OwnNode } from './own-addresses.ts';
import { type Evaluation, evaluate, MOST_LOOKUPS, MOST_VOID_LOOKUPS } from './spf-evaluation.ts';
import { type About, cannotTell, good, type PostureResult, problem, unanswered } from './types.ts';
import { txtLine } from './zone-lines.ts';

const SPF = {
  missing: {
    code: 'missing',
    severity: 'important',
    why: 'Without SPF nobody can tell your servers from others, and large receivers distrust or refuse the mail. Add every other service that sends for the domain before you publish it.',
  },
  several: {
    code: 'several',
    severity: 'critical',
    why: 'With more than one SPF record receivers evaluate none (RFC 7208 4.5). Put them into one.',
  },
  malformed: {
    code: 'malformed',
    severity: 'critical',
    why: 'A record must begin with "v=spf1" and a space (RFC 7208 4.5): this one is not seen as SPF at all.',
  },
  invalid: {
    code: 'invalid',
    severity: 'critical',
    why: 'Receivers cannot evaluate the record (permerror), and treat the domain as if it had none, or refuse.',
  },
  tooManyLookups: {
    code: 'too-many-lookups',
    severity: 'critical',
    why: `Receivers stop at ${MOST_LOOKUPS} terms that ask the DNS, includes counted through, and call the record invalid (RFC 7208 4.6.4). Leave out services that you no longer use, or write addresses instead.`,
  },
  tooManyVoidLookups: {
    code: 'too-many-void-lookups',
    severity: 'important',
    why: `Receivers stop at ${MOST_VOID_LOOKUPS} names without the records asked for (A where the client comes over IPv4, AAAA over IPv6), and call the record invalid (RFC 7208 4.6.4). Remove the terms that lead nowhere, and write addresses for names of one family.`,
  },
  permitsEverybody: {
    code: 'permits-everybody',
    severity: 'critical',
    why: 'The record lets any address in the world send as the domain. End it with -all or ~all.',
  },
  noDenial: {
    code: 'no-denial',
    severity: 'important',
    why: 'The record denies nobody, so it protects from no forgery. End it with -all, or with ~all while you look for servers that you forgot.',
  },
  pointer: {
    code: 'ptr-mechanism',
    severity: 'advice',
    why: 'The mechanism "ptr" is slow and unreliable, and should not be published (RFC 7208 5.5).',
  },
  notPermitted: {
    code: 'not-permitted',
    severity: 'critical',
    why: 'Mail that this node sends from the address fails SPF: it is refused or taken for forged.',
  },
} as const;

export async function checkSpf(domain: string, context: PostureContext): Promise<readonly PostureResult[]> {
  const about: About = { test: 'spf', subject: domain };
  const { resolver, node } = context;
  const answer = await textsOf(resolver, domain);
  if (answer.kind === 'unknown') return [unanswered(about, domain, answer)];
  const records = answer.texts.filter((text) => /^v=spf1( |$)/i.test(text));
  const publish = [txtLine(domain, recordFor(node))];
  if (records.length > 1) return [problem(about, SPF.several, records.map(shown).join('  |  '))];
  const [record] = records;
  if (record === undefined) {
    const likely = answer.texts.find((text) => /^\W*v\W{0,3}=?\W{0,3}spf/i.test(text));
    if (likely !== undefined) return [problem(about, SPF.malformed, shown(likely), publish)];
    return [problem(about, SPF.missing, `${domain} has no SPF record`, publish)];
  }
  const senders = await sendersOf(context);
  const whole = await checkRecord(about, record, senders, context);
  if (whole.some(({ code }) => code === SPF.invalid.code || code === 'cannot-tell')) return whole;
  return [...whole, ...(await checkOwn(about, record, senders, context))];
}

/** By family, from the ranges for benchmarks and for discarding: no host sends from them. */
const NOBODY = [
  ['IPv4', '198.18.0.1'],
  ['IPv6', '100::1'],
] as const;

/**
 * The evaluation for a client of one family: a name without AAAA is void for one over IPv6 alone (RFC 7208 4.6.4, 5).
 */
interface OfFamily extends Evaluation {
  readonly family: 'IPv4' | 'IPv6';
  /** Mail of this node is sent over it. */
  readonly isOurs: boolean;
}

async function checkRecord(
  about: About,
  record: string,
  senders: readonly string[],
  context: PostureContext,
): Promise<readonly PostureResult[]> {
  const wide = { terms: POSTURE_LIMITS.spfTerms, voidLookups: POSTURE_LIMITS.spfTerms };
  // If no address is known, mail is sent over IPv4: nobody sends over IPv6 alone.
  const ours = new Set(senders.length > 0 ? senders.map(familyOf) : ['IPv4']);
  const evaluations: readonly OfFamily[] = await Promise.all(
    NOBODY.map(async ([family, address]) => {
      const evaluation = await evaluate(about.subject, address, context, wide);
      return { ...evaluation, family, isOurs: ours.has(family) };
    }),
  );
  const seen = shown(record);
  const has = (result: string): boolean => evaluations.some((evaluation) => evaluation.result === result);
  const results = [...beyond('lookups', evaluations, about, seen)];
  if (!results.some(isWrong)) {
    // An evaluation cut at the wide bound is reported as look-ups.
    const ended = evaluations.filter(({ lookups }) => lookups <= MOST_LOOKUPS);
    const invalid = ended.find(({ result }) => result === 'permerror');
    const untold = ended.find(({ result }) => result === 'temperror');
    if (invalid) results.push(problem(about, SPF.invalid, `${invalid.text}: ${seen}`));
    else if (untold) return [cannotTell(about, `${untold.text}: ${seen}`)];
  }
  results.push(...beyond('voidLookups', evaluations, about, seen));
  if (has('pass')) results.push(problem(about, SPF.permitsEverybody, seen));
  else if (has('neutral')) results.push(problem(about, SPF.noDenial, seen, [txtLine(about.subject, denying(record))]));
  if (/[\s+?~-]ptr([:/ ]|$)/i.test(record)) results.push(problem(about, SPF.pointer, seen));
  return results.some(isWrong) ? results : [good(about, seen), ...results];
}

const BOUNDS = {
  lookups: { most: MOST_LOOKUPS, told: SPF.tooManyLookups, counted: 'lookups' },
  voidLookups: { most: MOST_VOID_LOOKUPS, told: SPF.tooManyVoidLookups, counted: 'names without records' },
} as const;

/**
 * Wrong if it affects mail of this node; advice if it affects only forgers, over a family that it does not send from.
 */
function beyond(
  bound: keyof typeof BOUNDS,
  evaluations: readonly OfFamily[],
  about: About,
  seen: string,
): readonly PostureResult[] {
  const { most, told, counted } = BOUNDS[bound];
  const over = evaluations.filter((evaluation) => evaluation[bound] > most);
  const [first] = over;
  if (!first) return [];
  const ours = over.filter(({ isOurs }) => isOurs);
  const count = Math.max(...(ours.length > 0 ? ours : over).map((evaluation) => evaluation[bound]));
  const where = over.length < evaluations.length ? ` for clients over ${first.family}` : '';
  const text = `${count} ${counted}${where}: ${seen}`;
  if (ours.length > 0) return [problem(about, told, text)];
  const why = `${told.why} This node does not send over ${first.family}, so its own mail is not concerned; but forgeries that come over it are not denied.`;
  return [problem(about, { ...told, severity: 'advice', why }, text)];
}

/** Whether mail of this node passes. */
async function checkOwn(
  about: About,
  record: string,
  senders: readonly string[],
  context: PostureContext,
): Promise<readonly PostureResult[]> {
  const { node } = context;
  if (node.smartHost !== undefined) return [await checkSmartHost(about, node.smartHost, senders, context)];
  if (node.sending.length === 0)
    return [
      cannotTell(
        about,
        'this node knows no public address that it sends from',
        'Set smtp.publicAddresses to the addresses that other servers see.',
      ),
    ];
  const evaluations = await Promise.all(node.sending.map((address) => evaluate(about.subject, address, context)));
  const denied = node.sending.filter((_, at) => ['fail', 'softfail', 'neutral'].includes(evaluations[at]!.result));
  const publish = denied.length > 0 ? [txtLine(about.subject, permitting(record, denied))] : [];
  return evaluations.flatMap(({ result, text }, at) => {
    const address = node.sending[at]!;
    if (denied.includes(address)) return [problem(about, SPF.notPermitted, `${address}: ${result}`, publish)];
    if (result === 'pass') return [good(about, `${address}, which this node sends from, passes`)];
    // The record as a whole is invalid, which is reported already.
    return result === 'permerror' ? [] : [cannotTell(about, `${address}: ${text}`)];
  });
}

/** A smart host may send from other addresses than those at which it takes mail. */
async function checkSmartHost(
  about: About,
  smartHost: string,
  addresses: readonly string[],
  context: PostureContext,
): Promise<PostureResult> {
  const evaluations = await Promise.all(
    addresses.slice(0, POSTURE_LIMITS.addresses).map((address) => evaluate(about.subject, address, context)),
  );
  if (evaluations.length > 0 && evaluations.every(({ result }) => result === 'pass'))
    return good(about, `the smart host ${smartHost} (${addresses.join(', ')}) passes`);
  return cannotTell(
    about,
    `all mail leaves by the smart host ${smartHost}, whose own addresses ${addresses.join(', ') || '(none found)'} do not all pass`,
    'Ask its operator which addresses it sends from, or what to include.',
  );
}

/** The addresses that mail of this node comes from, as far as known. */
async function sendersOf({ node, resolver }: PostureContext): Promise<readonly string[]> {
  if (node.smartHost === undefined) return node.sending;
  return isIP(node.smartHost) ? [node.smartHost] : addressesOf(node.smartHost, resolver);
}

async function addressesOf(host: string, resolver: Resolver): Promise<readonly string[]> {
  const answers = await Promise.all([resolver.resolve(host, 'A'), resolver.resolve(host, 'AAAA')]);
  return answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : []));
}

/** The record for a domain that only this node sends for. */
function recordFor({ smartHost, sending }: OwnNode): string {
  if (smartHost !== undefined) return `v=spf1 ${isIP(smartHost) ? term(smartHost) : `a:${smartHost}`} -all`;
  return ['v=spf1', ...(sending.length > 0 ? sending.map(term) : ['mx']), '-all'].join(' ');
}

function permitting(record: string, addresses: readonly string[]): string {
  return ['v=spf1', ...addresses.map(term), record.slice('v=spf1'.length).trim()].join(' ').trim();
}

function denying(record: string): string {
  return `${record.replace(/\s[?]?all\s*$/i, '').trim()} ~all`;
}

function isWrong({ verdict }: PostureResult): boolean {
  return verdict === 'wrong';
}

function familyOf(address: string): OfFamily['family'] {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

function term(address: string): string {
  return `${familyOf(address) === 'IPv6' ? 'ip6' : 'ip4'}:${address}`;
}
