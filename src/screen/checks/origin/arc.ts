/**
 * ARC (RFC 8617): whether the chain of the hosts that forwarded the message is valid.
 *
 * A chain counts neither for nor against a message by itself; a setting says which sealers are trusted, and DMARC
 * judges what the chain explains. A broken chain counts as none.
 */
import { andThen, type MaybePromise } from '../../../model/maybe-promise.ts';
import { type CheckServices, defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { arcSettings } from './signatures/settings.ts';
import { NOT_SIGNED } from './signatures/signatures.ts';
import type { ArcEvidence, NotMade } from './types.ts';
import { signaturesOf } from './verification.ts';

export const arc = defineCheck({
  id: 'arc',
  stage: 'message',
  guide: 'ARC verification',
  exempt: ['authenticated', 'domainMailServer'],
  clear: NOT_SIGNED.arc,
  protects: true,
  lazy: true,
  codes: { broken: 'the ARC chain does not hold' },
  settings: arcSettings,

  observe(view: Views['message'], services: CheckServices): MaybePromise<ArcEvidence | NotMade> {
    // Without a chain, signatures are verified only by the checks that need them.
    if (view.header.origin.arc === 0) return NOT_SIGNED.arc;
    return andThen(signaturesOf(view, services), (verified) => verified.arc);
  },

  judge(evidence) {
    if (!evidence.made || evidence.result !== 'fail') return NOTHING;
    return [
      { code: 'broken', outcome: 'none', text: `the ARC chain does not hold: ${evidence.detail ?? 'a seal fails'}` },
    ];
  },
});
