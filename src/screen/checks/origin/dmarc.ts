/**
 * DMARC (RFC 9989): whether the message is authenticated for the author domain, and what the domain's owner requests
 * if it is not.
 *
 * RFC 9989 7.4: p=reject alone is no reason to reject, since lists and forwarders break honest mail. So by default a
 * message is refused only when a second, independent finding agrees and neither a trusted ARC chain nor a mailing
 * list explains it; else it is held in the user's quarantine. The organisational domain comes from the tree walk
 * alone; `pct`, `ri`, `rf` and sizes are ignored. The action, and why it was weaker than requested, is recorded for
 * the domain owner's report.
 */
import type { MaybePromise } from '../../../model/maybe-promise.ts';
import { type CheckServices, defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { dmarcEvidence } from './dmarc/evidence.ts';
import { concludeDmarc, judgeDmarc } from './dmarc/judgement.ts';
import { DMARC_CODES, dmarcSettings, failureEdits } from './dmarc/settings.ts';
import { authenticationSettings } from './settings.ts';
import { arcSettings } from './signatures/settings.ts';
import type { DmarcEvidence, NotMade } from './types.ts';

export const dmarc = defineCheck({
  id: 'dmarc',
  stage: 'message',
  guide: 'DMARC Verification',
  exempt: ['authenticated', 'domainMailServer', 'allowListed', 'ipShield'],
  presetsSpare: true,
  protects: true,
  lazy: true,
  policy: { enabled: true, action: 'accept', quarantine: 'user', score: 0 },
  codes: DMARC_CODES,
  settings: {
    ...dmarcSettings,
    trustedSealers: arcSettings.trustedSealers,
    dnsTrouble: authenticationSettings.dnsTrouble,
  },

  observe(view: Views['message'], services: CheckServices): MaybePromise<DmarcEvidence | NotMade> {
    return dmarcEvidence(view, services);
  },

  judge(evidence, settings, _who, prior) {
    return evidence.made ? judgeDmarc(evidence, settings, prior) : NOTHING;
  },

  edits(evidence, { tagText, onQuarantine, onReject }) {
    if (!evidence.made) return NOTHING;
    const asked = evidence.policy === 'quarantine' ? onQuarantine : onReject;
    return failureEdits(evidence, asked === 'tag' ? tagText : undefined);
  },

  conclude(evidence, concluded) {
    return evidence.made ? { ...evidence, applied: concludeDmarc(evidence, concluded) } : evidence;
  },
});
