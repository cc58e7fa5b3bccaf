/**
 * DKIM (RFC 6376, 8301, 8463): every signature up to a bound, with remarks on each.
 *
 * A failed signature counts as none, so it is never punished. A finding is: fields or bytes that somebody added to
 * the signed content, the sign of a replayed message. Other remarks (no over-signing, `l=`, keys in test) are
 * recorded with the signature.
 */
import { andThen, type MaybePromise } from '../../../model/maybe-promise.ts';
import { type CheckServices, defineCheck, NOTHING, type Said, type Views } from '../../engine/check.ts';
import { trouble } from './said.ts';
import { authenticationSettings } from './settings.ts';
import { dkimSettings } from './signatures/settings.ts';
import { NOT_SIGNED } from './signatures/signatures.ts';
import type { DkimEvidence, NotMade } from './types.ts';
import { signaturesOf } from './verification.ts';

type Code = 'field-added' | 'body-added' | 'too-many' | 'pass' | 'temperror';

export const dkim = defineCheck({
  id: 'dkim',
  stage: 'message',
  guide: 'DKIM Verification',
  exempt: ['authenticated', 'domainMailServer', 'allowListed', 'ipShield'],
  clear: NOT_SIGNED.dkim,
  protects: true,
  lazy: true,
  policy: { enabled: true, action: 'accept', quarantine: 'user', score: 3 },
  codes: {
    'field-added': 'From, To, Subject or Date was added to what is signed',
    'body-added': 'content was added behind what is signed',
    'too-many': 'there are more, or longer, signatures than are verified',
    pass: 'a signature is valid',
    temperror: 'name servers do not say the keys of the signatures',
  },
  settings: { ...dkimSettings, dnsTrouble: authenticationSettings.dnsTrouble },

  observe(view: Views['message'], services: CheckServices): MaybePromise<DkimEvidence | NotMade> {
    return andThen(signaturesOf(view, services), (verified) => verified.dkim);
  },

  judge(evidence, { dnsTrouble, passCredit }) {
    if (!evidence.made) return NOTHING;
    const { signatures, unread } = evidence;
    if (signatures.length === 0 && unread === 0) return NOTHING;
    const passes = signatures.some(({ result }) => result === 'pass');
    if (!passes && signatures.some(({ result }) => result === 'temperror')) return trouble('temperror', dnsTrouble);
    const said: Said<Code>[] = [];
    if (signatures.some(({ result, flags }) => result === 'pass' && flags.includes('field-added')))
      said.push({ code: 'field-added' });
    if (!passes && signatures.some(({ flags }) => flags.includes('body-added'))) said.push({ code: 'body-added' });
    if (unread > 0) said.push({ code: 'too-many', outcome: 'none' });
    if (passes && passCredit > 0) said.push({ code: 'pass', outcome: 'pass', score: -passCredit });
    return said;
  },
});
