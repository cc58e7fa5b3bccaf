/**
 * BIMI: which brand indicator the author domain publishes, recorded and nothing fetched.
 *
 * Only for mail that passes DMARC under an enforced policy; the record names the URLs of image and certificate, for a
 * reader that shows them. Never a reason against a message.
 */
import { andThen, type MaybePromise } from '../../../model/maybe-promise.ts';
import { type CheckServices, defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { lookUpBimi } from './bimi-record.ts';
import type { BimiEvidence, DmarcEvidence, NotMade } from './types.ts';

export const bimi = defineCheck({
  id: 'bimi',
  stage: 'message',
  guide: 'BIMI',
  exempt: ['authenticated', 'domainMailServer'],
  protects: false,
  lazy: true,
  policy: { enabled: true, action: 'accept', quarantine: 'user', score: 0 },
  codes: {},
  settings: {},

  observe(view: Views['message'], services: CheckServices): MaybePromise<BimiEvidence | NotMade> {
    return andThen(view.observed('dmarc'), (dmarc) =>
      lookUpBimi(dmarc as DmarcEvidence | NotMade | undefined, view, services),
    );
  },

  judge() {
    return NOTHING;
  },
});
