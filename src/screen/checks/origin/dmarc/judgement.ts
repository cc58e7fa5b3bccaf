/** From the evidence of DMARC to the action, and to the report for the domain owner. */
import { UNKNOWN_ADDRESS } from '../../../../model/session.ts';
import type { Concluded, PriorFindings, Said, SettingValues } from '../../../engine/check.ts';
import { NOTHING } from '../../../engine/check.ts';
import { clientUnknown, trouble } from '../said.ts';
import type { authenticationSettings } from '../settings.ts';
import type { arcSettings } from '../signatures/settings.ts';
import type { DmarcApplied, DmarcEvidence, DmarcOverride, DmarcPolicy } from '../types.ts';
import type { DMARC_CODES, dmarcSettings } from './settings.ts';

type Code = keyof typeof DMARC_CODES;
export type DmarcSettings = SettingValues<
  typeof dmarcSettings & {
    trustedSealers: (typeof arcSettings)['trustedSealers'];
    dnsTrouble: (typeof authenticationSettings)['dnsTrouble'];
  }
>;

export function judgeDmarc(
  evidence: DmarcEvidence,
  settings: DmarcSettings,
  prior: PriorFindings,
): readonly Said<Code>[] {
  switch (evidence.result) {
    case 'none':
      return NOTHING;
    case 'pass':
      return settings.passCredit > 0 ? [{ code: 'pass', outcome: 'pass', score: -settings.passCredit }] : NOTHING;
    case 'temperror':
      if (!isUnknownClient(evidence, settings)) return trouble('temperror', settings.dnsTrouble);
      return isVouchedFor(evidence, settings.trustedSealers)
        ? [{ code: 'arc-explains', action: 'accept', outcome: 'none' }]
        : clientUnknown('temperror');
    case 'permerror':
      return [unclearAuthor(evidence, settings)];
    case 'fail':
      return isUntold(evidence, settings)
        ? trouble('temperror', settings.dnsTrouble)
        : [failed(evidence, settings, prior)];
  }
}

/** Without a client address SPF could not pass, and no DKIM signature did: mail of a protected domain waits. */
function isUnknownClient({ sourceIp, policy }: DmarcEvidence, { onQuarantine, onReject }: DmarcSettings): boolean {
  if (sourceIp !== UNKNOWN_ADDRESS || policy === 'none') return false;
  const wanted = policy === 'quarantine' ? onQuarantine : onReject;
  return wanted !== 'tag' && wanted !== 'score';
}

function unclearAuthor({ detail, namesNobody }: DmarcEvidence, { unclearAuthor }: DmarcSettings): Said<Code> {
  const held = namesNobody ? 'accept' : 'quarantine-user';
  const action = unclearAuthor === 'quarantine' ? held : unclearAuthor;
  return { code: 'no-single-author', action, text: detail ?? 'the author is not clear' };
}

function failed(evidence: DmarcEvidence, settings: DmarcSettings, prior: PriorFindings): Said<Code> {
  if (evidence.policy === 'none') return { code: 'policy-none', action: 'accept', outcome: 'none' };
  if (isVouchedFor(evidence, settings.trustedSealers))
    return { code: 'arc-explains', action: 'accept', outcome: 'none' };
  if (evidence.policy === 'quarantine')
    return act('quarantine', settings.onQuarantine, settings.quarantineScore, evidence);
  if (settings.onReject !== 'guarded') return act('reject', settings.onReject, settings.rejectScore, evidence);
  if (evidence.list !== undefined) return act('list-explains', 'quarantine', settings.rejectScore, evidence);
  const second = secondFinding(evidence, settings, prior);
  return second === undefined
    ? act('reject-alone', 'quarantine', settings.rejectScore, evidence)
    : act('reject', 'refuse', settings.rejectScore, evidence, second);
}

/** RFC 8617 7.2: one untrusted sealer could have invented everything below it. */
function isVouchedFor({ arcVouchesPass, arcSealers }: DmarcEvidence, trusted: readonly string[]): boolean {
  return arcVouchesPass && areTrusted(arcSealers, trusted);
}

/** A chain of trusted sealers would have counted, had name servers answered. */
function isUntold({ arcUntold, arcSealers, policy }: DmarcEvidence, { trustedSealers }: DmarcSettings): boolean {
  return arcUntold === true && policy !== 'none' && areTrusted(arcSealers, trustedSealers);
}

function areTrusted(sealers: readonly string[], trusted: readonly string[]): boolean {
  if (trusted.length === 0 || sealers.length === 0) return false;
  return sealers.every((sealer) => trusted.some((one) => one.toLowerCase() === sealer));
}

function secondFinding(
  evidence: DmarcEvidence,
  { secondScore }: DmarcSettings,
  prior: PriorFindings,
): string | undefined {
  if (evidence.spfDenies) return 'SPF of that domain fails hard';
  if (prior.suspect !== undefined) return `the check ${prior.suspect} found something`;
  return prior.score >= secondScore ? `the score is ${prior.score} already` : undefined;
}

function act(
  code: Code,
  what: 'refuse' | 'quarantine' | 'tag' | 'score',
  score: number,
  { headerFrom, policy }: DmarcEvidence,
  second?: string,
): Said<Code> {
  if (what === 'refuse') {
    const told = `DMARC: ${headerFrom} does not stand behind this message and asks for ${policy}`;
    const text = second === undefined ? told : `${told}; and ${second}`;
    return { code, action: 'refuse', score, text, reply: { code: 550, enhanced: '5.7.1', text: told } };
  }
  return { code, action: what === 'quarantine' ? 'quarantine-user' : 'accept', score };
}

const STRENGTH: Readonly<Record<DmarcPolicy, number>> = { none: 0, quarantine: 1, reject: 2 };
const NO_REASONS: readonly DmarcOverride[] = [];

/** The strictest over all recipients, and why it is weaker than published. */
export function concludeDmarc(evidence: DmarcEvidence, { answered, findings }: Concluded): DmarcApplied {
  let disposition: DmarcPolicy = 'none';
  let code: string | undefined;
  for (const finding of findings) {
    const one = dispositionOf(finding.action, answered);
    if (code === undefined || STRENGTH[one] > STRENGTH[disposition]) {
      disposition = one;
      code = finding.code;
    }
  }
  if (evidence.result !== 'fail' || !evidence.record) return { disposition, reasons: NO_REASONS };
  return { disposition, reasons: reasonsFor(evidence, disposition, code) };
}

function dispositionOf(action: string | undefined, answered: boolean): DmarcPolicy {
  // A recipient that is refused while others were accepted is held instead.
  if (action === 'refuse') return answered ? 'reject' : 'quarantine';
  return action?.startsWith('quarantine') ? 'quarantine' : 'none';
}

function reasonsFor(evidence: DmarcEvidence, disposition: DmarcPolicy, code: string | undefined) {
  const reasons: DmarcOverride[] = [];
  if (evidence.record?.t === 'y' && evidence.record.p !== 'none') reasons.push({ type: 'policy_test_mode' });
  if (STRENGTH[disposition] >= STRENGTH[evidence.policy]) return reasons.length === 0 ? NO_REASONS : reasons;
  if (code === 'arc-explains')
    reasons.push({ type: 'trusted_forwarder', comment: `arc=pass as.d=${evidence.arcSealers.join(',')}` });
  else if (code === 'list-explains') reasons.push({ type: 'mailing_list', comment: evidence.list! });
  else if (code === 'reject-alone') reasons.push({ type: 'local_policy', comment: 'no second finding agrees' });
  else reasons.push({ type: 'local_policy' });
  return reasons;
}
