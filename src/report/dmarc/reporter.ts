/**
 * The sender of reports, and whether it may send yet: only in the name of a contact whose domain is local and whose
 * DNS passes our own check, and never from a sandbox, so that nobody receives reports that fail DMARC themselves or
 * that nobody is responsible for.
 */
import type { Directory } from '../../directory/contract.ts';
import { parseAddress } from '../../protocol/smtp/address.ts';
import type { SettingsSnapshot } from '../../settings/contract.ts';
import { reportSettings } from '../settings.ts';

export interface Reporter {
  readonly contact: string;
  /** The contact's. */
  readonly domain: string;
  readonly organisation: string;
  readonly extraContact: string;
}

export type MayReport = { readonly answer: 'yes' } | { readonly answer: 'no' | 'cannot-tell'; readonly reason: string };

/** Whether a domain's DNS lets its mail pass elsewhere: `postern check domain`. */
export type CheckDomain = (domain: string) => Promise<MayReport>;

/** Undefined: no contact is set. */
export function reporterOf(settings: SettingsSnapshot): Reporter | undefined {
  const contact = settings.get(reportSettings.contact);
  const address = parseAddress(contact);
  if (!address.ok) return undefined;
  const { domain } = address.value;
  return {
    contact,
    domain,
    organisation: settings.get(reportSettings.organisation) || domain,
    extraContact: settings.get(reportSettings.extraContact),
  };
}

export interface ReadinessServices {
  readonly directory: Pick<Directory, 'domain'>;
  readonly checkDomain: CheckDomain;
  /** This node is a demo. */
  readonly sandbox: boolean;
}

export async function mayReport(
  { directory, checkDomain, sandbox }: ReadinessServices,
  reporter: Reporter | undefined,
): Promise<MayReport> {
  if (sandbox) return { answer: 'no', reason: 'this node is a demo' };
  if (!reporter) return { answer: 'no', reason: 'the setting report.contact is empty' };
  const own = await directory.domain(reporter.domain);
  if (!own?.enabled)
    return { answer: 'no', reason: `${reporter.domain}, the domain of report.contact, is no domain of this node` };
  return checkDomain(reporter.domain);
}

/** The result of our own check (posture) as an answer here. */
export function mayReportAfter({ verdict, because }: PostureAnswer): MayReport {
  if (verdict === 'good') return { answer: 'yes' };
  const decisive = because.filter((result) => result.verdict === verdict);
  const reason = decisive.map(({ test, subject, seen }) => `${test} of ${subject}: ${seen}`).join('; ');
  return { answer: verdict === 'wrong' ? 'no' : 'cannot-tell', reason };
}

interface PostureAnswer {
  readonly verdict: 'good' | 'wrong' | 'cannot-tell';
  readonly because: readonly {
    readonly test: string;
    readonly subject: string;
    readonly verdict: 'good' | 'wrong' | 'cannot-tell';
    readonly seen: string;
  }[];
}
