/**
 * Look-up of the domain in MAIL: mail from a domain that cannot receive an answer need not be accepted.
 *
 * A domain needs an MX record, or an address instead (RFC 5321 5.1); a null MX declares that it receives and sends no
 * mail (RFC 7505 4.2). The null reverse-path has no domain.
 */
import type { MaybePromise } from '../../../model/maybe-promise.ts';
import { choice, defineSettings, flag } from '../../../settings/define.ts';
import { type CheckServices, defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { answer501, trouble, warningHeader } from '../origin/said.ts';
import { authenticationSettings } from '../origin/settings.ts';
import type { NotMade } from '../origin/types.ts';
import { lookUpMailDomain, type MailEvidence, NULL_PATH, spared } from './reverse.ts';
import { reverseSettings } from './settings.ts';

const own = defineSettings('reverseMail', {
  ifNotFound: choice(
    ['accept', 'defer', 'refuse', 'close'],
    'defer',
    'What happens when the domain in MAIL does not exist, or has neither mail server nor address: `defer` answers 451 and the session goes on, `refuse` answers 501, `close` answers 501 and closes the connection, `accept` leaves it to the action of the check.',
    { scope: 'domain' },
  ),
  refuseNullMx: flag(
    true,
    'Refuses mail from a domain that says by a null MX that it sends none (550 5.7.27, RFC 7505).',
    { scope: 'domain' },
  ),
  refuseNoMx: flag(
    false,
    'Refuses mail from a domain that has an address and no MX record. Take care: that is allowed, if old-fashioned.',
    { scope: 'domain' },
  ),
});

export const reverseLookupMail = defineCheck({
  id: 'reverseMail',
  stage: 'mail',
  begins: 'rcpt',
  answers: 'rcpt',
  guide: 'Reverse Lookups: value passed in the MAIL command',
  exempt: ['authenticated', 'domainMailServer', 'allowListed', 'ipShield'],
  protects: true,
  lazy: true,
  policy: { enabled: true, action: 'accept', quarantine: 'user', score: 0 },
  codes: {
    'no-mx': 'the domain in MAIL has no MX record',
    'null-mx': 'the domain in MAIL says that it sends no mail',
    'not-found': 'the domain in MAIL does not exist, or takes no mail',
    'cannot-tell': 'name servers do not say whether the domain in MAIL exists',
  },
  settings: { ...own, ...reverseSettings, dnsTrouble: authenticationSettings.dnsTrouble },

  observe(view: Views['mail'], services: CheckServices): MaybePromise<MailEvidence | NotMade> {
    if (view.reversePath === null) return NULL_PATH;
    return spared(view, services) ?? lookUpMailDomain(services.resolver, view.reversePath.domain);
  },

  judge(evidence, { ifNotFound, refuseNullMx, refuseNoMx, dnsTrouble }) {
    if (!evidence.made) return NOTHING;
    switch (evidence.result) {
      case 'found':
        return NOTHING;
      case 'cannot-tell':
        return trouble('cannot-tell', dnsTrouble);
      case 'no-mx':
        if (!refuseNoMx) return NOTHING;
        return [{ code: 'no-mx', action: 'refuse', reply: answer501('your sender domain has no MX record', false) }];
      case 'null-mx': {
        if (!refuseNullMx) return [{ code: 'null-mx' }];
        const text = 'your sender domain has a null MX: it sends no mail';
        return [{ code: 'null-mx', action: 'refuse', reply: { code: 550, enhanced: '5.7.27', text } }];
      }
      case 'not-found':
        return notFound(ifNotFound);
    }
  },

  edits(evidence, settings) {
    const failed = evidence.made && (evidence.result === 'null-mx' || evidence.result === 'not-found');
    return warningHeader(settings.warningHeader && failed ? `mail-${evidence.result}` : undefined);
  },
});

function notFound(ifNotFound: 'accept' | 'defer' | 'refuse' | 'close') {
  const code = 'not-found' as const;
  const text = 'your sender domain does not exist, or takes no mail';
  switch (ifNotFound) {
    case 'accept':
      return [{ code }];
    case 'defer':
      return [{ code, action: 'defer', reply: { code: 451, enhanced: '4.1.8', text } } as const];
    default:
      return [{ code, action: 'refuse', reply: answer501(text, ifNotFound === 'close') } as const];
  }
}
