/**
 * DMARC (RFC 9989) of one message: its author domains, the policy published for each by the tree walk, and which
 * results of SPF and DKIM are aligned with it. The check judges the consequences.
 *
 * Of several domains the outcome of one counts: the strictest policy that is not aligned. So nobody can forge an
 * author by naming another one, which passes, beside it.
 */
import { MIME_LIMITS } from '../../../../protocol/mime/limits.ts';
import type { Author, UnclearAuthor } from '../../../../protocol/mime/types.ts';
import type { Clock } from '../../../../world/clock.ts';
import type { Resolver } from '../../../../world/resolver.ts';
import type { Asker } from '../ask.ts';
import { keptPerResolver } from '../kept.ts';
import { loadDmarc, type RawDmarc } from '../mailauth.ts';
import { plainDomain } from '../signatures/signatures.ts';
import type { DkimEvidence, DmarcEvidence, DmarcPolicy, DmarcRecord, SpfEvidence } from '../types.ts';

export interface DmarcInput {
  readonly author: Author;
  readonly spf: SpfEvidence | undefined;
  readonly dkim: DkimEvidence;
}

/** The outcome of DMARC alone; the rest of its evidence may explain it. */
export type DmarcOutcome = Pick<
  DmarcEvidence,
  | 'result'
  | 'detail'
  | 'namesNobody'
  | 'authors'
  | 'failing'
  | 'headerFrom'
  | 'record'
  | 'policy'
  | 'spfAligned'
  | 'dkimAligned'
  | 'dkim'
>;

/** Author domains without a record, which is most of them, cached as long as their DNS answers are valid. */
const keptWithoutRecord = keptPerResolver<Pick<DmarcOutcome, 'headerFrom'>>();

export async function evaluate(
  { author, spf, dkim }: DmarcInput,
  asker: Asker,
  services: { readonly resolver: Resolver; readonly clock: Clock },
): Promise<DmarcOutcome> {
  const { domains, unclear, namesNobody } = author;
  if (domains.length === 0 || unclear === 'too-many-domains')
    return unclearOutcome(unclear ?? 'nobody', namesNobody, dkim);
  const evaluated: DmarcOutcome[] = [];
  for (const domain of domains.slice(0, MIME_LIMITS.authorDomains))
    evaluated.push(await evaluateDomain(domain, spf, dkim, asker, services));
  const outcomes = evaluated.map((one) => (asker.exceeded() ? tooLarge(one) : unlessUntold(one, spf, dkim)));
  const deciding = outcomes.reduce((worst, one) => (severity(one) > severity(worst) ? one : worst));
  if (unclear && severity(deciding) < SEVERITY.enforced) return unclearOutcome(unclear, namesNobody, dkim);
  if (outcomes.length === 1) return deciding;
  const failing = outcomes.filter((one) => severity(one) >= SEVERITY.enforced).map(({ headerFrom }) => headerFrom);
  return { ...deciding, authors: domains, ...(failing.length > 0 && { failing }) };
}

const SEVERITY = { pass: 0, none: 1, monitored: 2, temperror: 3, permerror: 3, enforced: 4, reject: 5 } as const;

/** RFC 9989 does not cover several author domains: the message is treated like one of the strictest of them. */
function severity({ result, policy }: DmarcOutcome): number {
  if (result !== 'fail') return SEVERITY[result];
  return SEVERITY[policy === 'reject' ? 'reject' : policy === 'quarantine' ? 'enforced' : 'monitored'];
}

async function evaluateDomain(
  author: string,
  spf: SpfEvidence | undefined,
  dkim: DkimEvidence,
  asker: Asker,
  { resolver, clock }: { readonly resolver: Resolver; readonly clock: Clock },
): Promise<DmarcOutcome> {
  const without = keptWithoutRecord(resolver).get(author, clock);
  if (without) return { ...NO_RECORD, ...without, dkim: signaturesOf(dkim) };
  const { evaluateDmarc } = await loadDmarc();
  const watched = asker.watched();
  const passing = dkim.signatures.filter(({ result }) => result === 'pass');
  const { response, dkimAligned } = await evaluateDmarc({
    // The local part is left out, since a domain within it is not the author's.
    headerFrom: [`x@${author}`],
    fromFields: 1,
    // RFC 9989 4.1: only the MAIL identity.
    spfDomains: spf?.mail.result === 'pass' ? [spf.mail.domain] : [],
    dkimDomains: passing.map(({ domain }) => ({ domain })),
    resolver: watched.ask,
    strict: true,
  });
  if (!response) return unclearOutcome('no-domain', false, dkim);
  const { status, error, policy = 'none', alignment } = response;
  // mailauth also reports a defect of its own as a temporary error.
  if (status.result === 'temperror' && !watched.troubled()) throw new Error(`DMARC failed by itself: ${error}`);
  const record = recordOf(response);
  const headerFrom = plainDomain(status.header.from);
  if (status.result === 'none') keptWithoutRecord(resolver).put(author, { headerFrom }, watched.seconds(), clock);
  return {
    result: status.result,
    ...(error && { detail: error.slice(0, 200) }),
    headerFrom,
    ...(record && { record }),
    policy,
    spfAligned: alignment?.spf.result !== undefined,
    dkimAligned: alignment?.dkim.result !== undefined,
    dkim: signaturesOf(dkim, dkimAligned),
  };
}

/** A message that needs more questions than any honest one is no trouble of name servers: it proves nothing. */
function tooLarge(outcome: DmarcOutcome): DmarcOutcome {
  if (outcome.result !== 'temperror') return outcome;
  return { ...outcome, result: 'permerror', detail: 'its author and its signers need too many look-ups' };
}

/**
 * A failure does not count while an identifier that could be aligned is unknown because of DNS trouble. Only names of
 * the policy domain count, or a forger would add a signature that nobody can look up.
 */
function unlessUntold(outcome: DmarcOutcome, spf: SpfEvidence | undefined, dkim: DkimEvidence): DmarcOutcome {
  if (outcome.result !== 'fail' || !outcome.record) return outcome;
  const { domain } = outcome.record;
  const isOwn = (name: string): boolean => name === domain || name.endsWith(`.${domain}`);
  const untold =
    (spf?.mail.result === 'temperror' && isOwn(spf.mail.domain)) ||
    dkim.signatures.some((signature) => signature.result === 'temperror' && isOwn(signature.domain));
  if (!untold) return outcome;
  return {
    ...outcome,
    result: 'temperror',
    detail: 'name servers did not answer what would show whether it aligns',
  };
}

function signaturesOf({ signatures }: DkimEvidence, aligned?: ReadonlySet<string>): DmarcOutcome['dkim'] {
  return signatures.map(({ domain, selector, result, detail }) => ({
    domain,
    selector,
    result,
    aligned: result === 'pass' && (aligned?.has(domain) ?? false),
    ...(detail && { detail }),
  }));
}

const NO_RECORD = { result: 'none', policy: 'none', spfAligned: false, dkimAligned: false } as const;

const REASONS: Readonly<Record<UnclearAuthor | 'nobody', string>> = {
  nobody: 'the From field has no address with a domain',
  'no-domain': 'an address of the From field has no domain that can be read',
  'too-many-domains': `the From field has addresses of more than ${MIME_LIMITS.authorDomains} domains`,
  'too-long': 'the From field is too long to be read whole',
  'several-fields': 'there is more than one From field',
};

/** RFC 9989 5.3.1: without an author domain there is nothing to validate. */
function unclearOutcome(why: UnclearAuthor | 'nobody', namesNobody: boolean, dkim: DkimEvidence): DmarcOutcome {
  return {
    result: 'permerror',
    detail: REASONS[why],
    ...(namesNobody && { namesNobody: true }),
    headerFrom: '',
    policy: 'none',
    spfAligned: false,
    dkimAligned: false,
    dkim: signaturesOf(dkim),
  };
}

const POLICIES: readonly string[] = ['none', 'quarantine', 'reject'];

function recordOf({ record, policyDomain, p }: RawDmarc): DmarcRecord | undefined {
  if (!record || policyDomain === undefined || p === undefined) return undefined;
  const policyTag = (name: string): DmarcPolicy | undefined =>
    POLICIES.includes(String(record[name])) ? (record[name] as DmarcPolicy) : undefined;
  const sp = policyTag('sp');
  const np = policyTag('np');
  return {
    domain: plainDomain(policyDomain),
    p,
    ...(sp && { sp }),
    ...(np && { np }),
    adkim: record['adkim'] === 's' ? 's' : 'r',
    aspf: record['aspf'] === 's' ? 's' : 'r',
    t: record['t'] === 'y' ? 'y' : 'n',
    psd: record['psd'] === 'y' ? 'y' : record['psd'] === 'n' ? 'n' : 'u',
    fo: typeof record['fo'] === 'string' && record['fo'] !== '' ? record['fo'] : '0',
    rua: addresses(record['rua']),
    ruf: addresses(record['ruf']),
    discovery: 'treewalk',
  };
}

/** RFC 9989 4.8: comma-separated URIs; only `mailto:` is used, and the obsolete `!size` is dropped. */
function addresses(uris: string | false | undefined): readonly string[] {
  if (typeof uris !== 'string') return [];
  const found = uris.split(',', 20).map((uri) => uri.trim().replace(/![0-9]+[kmgt]?$/i, ''));
  // RFC 6068 2: a local part in quotes, or with percent signs, may contain an at-sign.
  return found.filter((uri) => /^mailto:[^\s@].*@[^\s@]+$/i.test(uri) && !/\s/.test(uri));
}
