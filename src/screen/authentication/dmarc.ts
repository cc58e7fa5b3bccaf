/**
 * DMARC (RFC 9989) of one message: its author domain, the policy published for it by the tree walk,
 * and what of SPF and DKIM is aligned with it. What follows from that is the check's to judge.
 */
import type { AddressList, Mailbox } from '../../protocol/mime/words.ts';
import type { Clock } from '../../world/clock.ts';
import type { Resolver } from '../../world/resolver.ts';
import type { Asker } from './ask.ts';
import { keptPerResolver } from './kept.ts';
import { loadDmarc, type RawDmarc } from './mailauth.ts';
import { plainDomain } from './signatures.ts';
import type { DkimEvidence, DmarcEvidence, DmarcPolicy, DmarcRecord, SpfEvidence } from './words.ts';

export interface DmarcInput {
  readonly fromFields: readonly AddressList[];
  readonly spf: SpfEvidence | undefined;
  readonly dkim: DkimEvidence;
}

/** What DMARC alone comes to; the rest of its evidence is about what may explain it. */
export type DmarcOutcome = Pick<
  DmarcEvidence,
  'result' | 'detail' | 'namesNobody' | 'headerFrom' | 'record' | 'policy' | 'spfAligned' | 'dkimAligned' | 'dkim'
>;

/** Author domains that publish nothing, which is most of them, as long as the DNS lets that hold. */
const keptWithoutRecord = keptPerResolver<Pick<DmarcOutcome, 'headerFrom'>>();

export async function evaluate(
  { fromFields, spf, dkim }: DmarcInput,
  asker: Asker,
  { resolver, clock }: { readonly resolver: Resolver; readonly clock: Clock },
): Promise<DmarcOutcome> {
  const only = onlyDomain(fromFields);
  const without = only === undefined ? undefined : keptWithoutRecord(resolver).get(only, clock);
  if (without) return { ...NO_RECORD, ...without, dkim: signaturesOf(dkim) };
  const { evaluateDmarc } = await loadDmarc();
  const watched = asker.watched();
  const passing = dkim.signatures.filter(({ result }) => result === 'pass');
  const { response, dkimAligned, reason } = await evaluateDmarc({
    headerFrom: fromFields.flatMap(authors),
    fromFields: fromFields.length,
    // RFC 9989 4.1: the MAIL identity only.
    spfDomains: spf?.mail.result === 'pass' ? [spf.mail.domain] : [],
    dkimDomains: passing.map(({ domain }) => ({ domain })),
    resolver: watched.ask,
    strict: true,
  });
  const signatures = signaturesOf(dkim, dkimAligned);
  if (!response) {
    const namesNobody = fromFields.every(({ mailboxes }) => mailboxes.every(namesNoDomain)) || undefined;
    return { ...NO_AUTHOR, detail: whyUnclear(reason, fromFields), namesNobody, dkim: signatures };
  }
  const { status, error, policy = 'none', alignment } = response;
  const record = recordOf(response);
  const headerFrom = plainDomain(status.header.from);
  if (status.result === 'none' && only !== undefined)
    keptWithoutRecord(resolver).put(only, { headerFrom }, watched.seconds(), clock);
  return {
    result: status.result,
    ...(error && { detail: error.slice(0, 200) }),
    headerFrom,
    ...(record && { record }),
    policy,
    spfAligned: alignment?.spf.result !== undefined,
    dkimAligned: alignment?.dkim.result !== undefined,
    dkim: signatures,
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

/** Of the plain case, one field with one address; everything else is read anew. */
function onlyDomain([from, ...more]: readonly AddressList[]): string | undefined {
  if (!from || more.length > 0 || from.isMalformed || from.mailboxes.length !== 1) return undefined;
  return from.mailboxes[0]!.domain;
}

const NO_RECORD = { result: 'none', policy: 'none', spfAligned: false, dkimAligned: false } as const;

/** RFC 9989 5.3.1: with no author domain, or several, there is nothing to validate. */
const NO_AUTHOR = {
  result: 'permerror',
  headerFrom: '',
  policy: 'none',
  spfAligned: false,
  dkimAligned: false,
} as const;

const REASONS: Readonly<Record<string, string>> = {
  'no-author-domain': 'the From field has no address with a domain',
  'multiple-author-domains': 'the From field has addresses of several domains',
  'invalid-author-domain': 'an address of the From field has no domain that can be read',
  'multiple-from-fields': 'there is more than one From field',
  '': 'no single author domain can be told',
};

function whyUnclear(reason: string | undefined, fromFields: readonly AddressList[]): string {
  const isWritten =
    reason === 'no-author-domain' && fromFields.some(({ mailboxes }) => mailboxes.some(namesUnreadable));
  return REASONS[isWritten ? 'invalid-author-domain' : (reason ?? '')] ?? REASONS['']!;
}

/** As machines write it, `From: root`. */
function namesNoDomain({ domain, writtenDomain }: Mailbox): boolean {
  return domain === '' && writtenDomain === undefined;
}

function namesUnreadable({ domain, writtenDomain }: Mailbox): boolean {
  return isLiteral(domain) || (domain === '' && writtenDomain !== undefined);
}

/**
 * An address without a domain that can be in the DNS stays in the list, so that nobody hides behind
 * another one. The local part is left out, as the domains in it are not the author's.
 */
function authors({ mailboxes }: AddressList): readonly string[] {
  return mailboxes.map(({ domain }) => (isLiteral(domain) ? 'x@' : `x@${domain}`));
}

function isLiteral(domain: string): boolean {
  return domain.startsWith('[');
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

/** RFC 9989 4.8: URIs between commas; only `mailto:` is used, and the obsolete `!size` is dropped. */
function addresses(uris: string | false | undefined): readonly string[] {
  if (typeof uris !== 'string') return [];
  const found = uris.split(',', 20).map((uri) => uri.trim().replace(/![0-9]+[kmgt]?$/i, ''));
  return found.filter((uri) => /^mailto:[^\s@]+@[^\s@]+$/i.test(uri));
}
