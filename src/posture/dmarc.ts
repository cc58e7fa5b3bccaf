/**
 * DMARC (RFC 9989): a record applies to the domain, is valid, requests reports, and the domains that are to receive
 * them agree (RFC 9990 4).
 */
import type { Resolver } from '../world/resolver.ts';
import { shown, textsOf } from './answers.ts';
import type { PostureContext } from './context.ts';
import { discoverPolicy, organisationalDomain } from './dmarc-discovery.ts';
import {
  type DmarcPolicy,
  type DmarcRecordView,
  isDmarcRecord,
  readDmarcRecord,
  reportDomain,
} from './dmarc-record.ts';
import { POSTURE_LIMITS } from './limits.ts';
import { type About, cannotTell, good, type PostureResult, problem, unanswered } from './types.ts';
import { txtLine } from './zone-lines.ts';

const DMARC = {
  missing: {
    code: 'missing',
    severity: 'important',
    why: 'Without DMARC anybody may write the domain into the From line, and large receivers refuse bulk mail of it. Begin with p=none, read the reports, then go to quarantine and reject.',
  },
  several: {
    code: 'several',
    severity: 'critical',
    why: 'With more than one DMARC record receivers use none (RFC 9989 4.10). Keep one.',
  },
  malformed: {
    code: 'malformed',
    severity: 'critical',
    why: 'A record must begin with exactly "v=DMARC1" (RFC 9989 4.7): this one is not seen as DMARC at all.',
  },
  faulty: {
    code: 'faulty',
    severity: 'critical',
    why: 'Receivers ignore the record, or act as if it said p=none (RFC 9989 4.10.1).',
  },
  ignored: {
    code: 'ignored-tags',
    severity: 'advice',
    why: 'Receivers ignore these parts (RFC 9989 4.7). Leave them out.',
  },
  monitoring: {
    code: 'policy-none',
    severity: 'advice',
    why: 'p=none only watches: forged mail is still delivered. When the reports show that your own mail passes, go on to quarantine.',
  },
  testing: {
    code: 'testing',
    severity: 'advice',
    why: 't=y asks receivers to apply the next weaker policy. Take it out when the reports look right.',
  },
  weakSubdomains: {
    code: 'weak-subdomains',
    severity: 'advice',
    why: 'sp is weaker than p: forgers use subdomains, existing or not.',
  },
  noReports: {
    code: 'no-reports',
    severity: 'advice',
    why: 'Without rua nobody tells you who sends in your name, or that your own mail fails.',
  },
  notAuthorised: {
    code: 'reports-not-authorised',
    severity: 'important',
    why: 'Receivers send no reports to another organisation unless it says that it wants them (RFC 9990 4). Its zone must have this record.',
  },
} as const;

const STRENGTH: Readonly<Record<DmarcPolicy, number>> = { none: 0, quarantine: 1, reject: 2 };

export async function checkDmarc(domain: string, { resolver }: PostureContext): Promise<readonly PostureResult[]> {
  const about: About = { test: 'dmarc', subject: domain };
  const name = `_dmarc.${domain}`;
  const answer = await textsOf(resolver, name);
  if (answer.kind === 'unknown') return [unanswered(about, name, answer)];
  const own = answer.texts.filter(isDmarcRecord);
  const publish = [txtLine(name, `v=DMARC1; p=none; rua=mailto:dmarc-reports@${domain}`)];
  if (own.length > 1) return [problem(about, DMARC.several, own.map(shown).join('  |  '))];
  if (own.length === 1) return checkPolicy(about, { record: own[0]!, domain }, resolver);
  const likely = answer.texts.find((text) => /dmarc1/i.test(text));
  if (likely !== undefined) return [problem(about, DMARC.malformed, shown(likely), publish)];
  const found = await discoverPolicy(domain, resolver);
  if (found.kind === 'unknown') return [cannotTell(about, `the DNS did not answer: ${found.reason}`)];
  if (found.kind === 'none') return [problem(about, DMARC.missing, `no DMARC record applies to ${domain}`, publish)];
  // The record of a public suffix applies to domains without one of their own (RFC 9989 4.10.1).
  if (readDmarcRecord(found.record).isPublicSuffix)
    return [problem(about, DMARC.missing, `only that of the public suffix ${found.domain} applies`, publish)];
  return checkPolicy(about, found, resolver);
}

interface Applied {
  readonly record: string;
  /** The domain of the record; `domain` itself or one above it. */
  readonly domain: string;
}

async function checkPolicy(about: About, applied: Applied, resolver: Resolver): Promise<readonly PostureResult[]> {
  const view = readDmarcRecord(applied.record);
  const isInherited = applied.domain !== about.subject;
  const seen = `${shown(applied.record)}${isInherited ? ` (of ${applied.domain})` : ''}`;
  if (view.faults.length > 0) return [problem(about, DMARC.faulty, `${view.faults.join('; ')}: ${seen}`)];
  const results = [...adviceOn(about, view, applied, seen), ...(await checkReports(about, view, applied, resolver))];
  return [good(about, seen), ...results];
}

function* adviceOn(about: About, view: DmarcRecordView, { domain, record }: Applied, seen: string) {
  const p = view.p ?? 'none';
  // RFC 9989 4.7: in an inherited record sp goes before p.
  const applies = domain !== about.subject && view.sp !== undefined ? 'sp' : 'p';
  const monitors = new RegExp(`\\b${applies}\\s*=\\s*none`, 'i');
  const line = (from: RegExp, to: string): string[] => [txtLine(`_dmarc.${domain}`, record.replace(from, to))];
  if (view.ignored.length > 0) yield problem(about, DMARC.ignored, view.ignored.map(shown).join('; '));
  if ((applies === 'sp' ? view.sp : p) === 'none')
    yield problem(about, DMARC.monitoring, seen, line(monitors, `${applies}=quarantine`));
  if (view.isTesting) yield problem(about, DMARC.testing, seen, line(/;\s*t\s*=\s*y\b/i, ''));
  if (applies === 'p' && view.sp !== undefined && STRENGTH[view.sp] < STRENGTH[p])
    yield problem(about, DMARC.weakSubdomains, seen, line(/;\s*sp\s*=\s*\w+/i, ''));
  if (view.rua.length === 0) {
    const withReports = `${record.replace(/;?\s*$/, '')}; rua=mailto:dmarc-reports@${domain}`;
    yield problem(about, DMARC.noReports, seen, [txtLine(`_dmarc.${domain}`, withReports)]);
  }
}

/** RFC 9990 4: a receiver of reports about another organisation's mail must agree in the DNS. */
async function checkReports(
  about: About,
  { rua, ruf }: DmarcRecordView,
  { domain }: Applied,
  resolver: Resolver,
): Promise<readonly PostureResult[]> {
  const wanted = [...rua, ...ruf].slice(0, POSTURE_LIMITS.reportAddresses).map(reportDomain);
  const hosts = new Set(wanted.filter((host) => host !== undefined && host !== domain));
  const results = await Promise.all([...hosts].map((host) => checkAuthorisation(about, domain, host!, resolver)));
  return results.flat();
}

async function checkAuthorisation(about: About, domain: string, host: string, resolver: Resolver) {
  const [organisation, theirs] = await Promise.all([
    organisationalDomain(domain, resolver),
    organisationalDomain(host, resolver),
  ]);
  if (organisation === undefined || theirs === undefined)
    return [cannotTell(about, `the DNS does not say whether ${host} and ${domain} are one organisation`)];
  if (organisation === theirs) return [];
  const name = `${domain}._report._dmarc.${host}`;
  const answer = await textsOf(resolver, name);
  if (answer.kind === 'unknown') return [unanswered(about, name, answer)];
  if (answer.texts.some(isDmarcRecord)) return [];
  return [problem(about, DMARC.notAuthorised, `${name} has no DMARC record`, [txtLine(name, 'v=DMARC1')])];
}
