/**
 * Reverse look-up of the client's address: a PTR name must resolve to the address again.
 *
 * Begins with the first recipient that may be accepted. Only a denial by the DNS means that there is none. This
 * machine, trusted relays and the submission ports are exempt.
 */
import type { MaybePromise } from '../../../model/maybe-promise.ts';
import { defineSettings, flag } from '../../../settings/define.ts';
import { type CheckServices, defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { answer501, trouble, warningHeader } from '../origin/said.ts';
import { authenticationSettings } from '../origin/settings.ts';
import type { NotMade } from '../origin/types.ts';
import { confirmPtr, type PtrEvidence, spared } from './reverse.ts';
import { reverseSettings } from './settings.ts';

const own = defineSettings('reversePtr', {
  closeIfMissing: flag(
    false,
    'Answers 501 and closes the connection when the address has no PTR record at all. Take care: much honest mail comes from such addresses.',
    { scope: 'domain' },
  ),
  closeIfMismatch: flag(
    false,
    'Answers 501 and closes the connection when no name of the PTR record has the address.',
    { scope: 'domain' },
  ),
});

export const reverseLookupPtr = defineCheck({
  id: 'reversePtr',
  stage: 'mail',
  begins: 'rcpt',
  answers: 'rcpt',
  guide: 'Reverse Lookups: PTR record of the connecting address',
  exempt: ['domainMailServer'],
  protects: true,
  lazy: true,
  policy: { enabled: true, action: 'accept', quarantine: 'user', score: 0 },
  codes: {
    missing: 'the address has no PTR record',
    mismatch: 'no name of the PTR record has the address',
    'cannot-tell': 'name servers do not say whether the address has a name',
  },
  settings: { ...own, ...reverseSettings, dnsTrouble: authenticationSettings.dnsTrouble },

  observe(view: Views['mail'], services: CheckServices): MaybePromise<PtrEvidence | NotMade> {
    return spared(view, services) ?? confirmPtr(services.resolver, view.facts.client.address);
  },

  judge(evidence, { closeIfMissing, closeIfMismatch, dnsTrouble }) {
    if (!evidence.made || evidence.result === 'confirmed') return NOTHING;
    if (evidence.result === 'cannot-tell') return trouble('cannot-tell', dnsTrouble);
    const refuses = evidence.result === 'missing' ? closeIfMissing : closeIfMismatch;
    if (!refuses) return [{ code: evidence.result }];
    const text =
      evidence.result === 'missing'
        ? 'your address has no PTR record'
        : 'your PTR record has no name with your address';
    return [{ code: evidence.result, action: 'refuse', reply: answer501(text, true) }];
  },

  edits(evidence, settings) {
    const failed = evidence.made && (evidence.result === 'missing' || evidence.result === 'mismatch');
    return warningHeader(settings.warningHeader && failed ? `ptr-${evidence.result}` : undefined);
  },
});
