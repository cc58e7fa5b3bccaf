/**
 * Reverse look-up of the HELO name: it must be a name, or an address literal, of the client.
 *
 * Many honest servers send a name that is not theirs, so by default a failure is only recorded. It has the exemptions
 * of the look-up of the PTR record.
 */
import type { MaybePromise } from '../../../model/maybe-promise.ts';
import { choice, defineSettings, flag } from '../../../settings/define.ts';
import { type CheckServices, defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { answer501, trouble, warningHeader } from '../origin/said.ts';
import { authenticationSettings } from '../origin/settings.ts';
import type { NotMade } from '../origin/types.ts';
import { type HeloEvidence, lookUpHelo, spared } from './reverse.ts';
import { reverseSettings } from './settings.ts';

const own = defineSettings('reverseHelo', {
  closeIfForged: flag(
    false,
    'Answers 501 and closes the connection when the HELO name exists and is not that of the client. Take care: servers behind address translation often say such a name.',
    { scope: 'domain' },
  ),
  ifNotFound: choice(
    ['accept', 'defer', 'refuse', 'close'],
    'accept',
    'What happens when the HELO name does not exist: `accept` leaves it to the action of the check, `defer` answers 451 and the session goes on, `refuse` answers 501, `close` answers 501 and closes the connection.',
    { scope: 'domain' },
  ),
});

export const reverseLookupHelo = defineCheck({
  id: 'reverseHelo',
  stage: 'mail',
  begins: 'rcpt',
  answers: 'rcpt',
  guide: 'Reverse Lookups: HELO/EHLO domain',
  exempt: ['authenticated', 'domainMailServer', 'allowListed', 'ipShield'],
  protects: true,
  lazy: true,
  policy: { enabled: true, action: 'accept', quarantine: 'user', score: 0 },
  codes: {
    mismatch: 'the HELO name is not that of the client',
    'not-found': 'the HELO name does not exist',
    'cannot-tell': 'name servers do not say whether the HELO name exists',
  },
  settings: { ...own, ...reverseSettings, dnsTrouble: authenticationSettings.dnsTrouble },

  observe(view: Views['mail'], services: CheckServices): MaybePromise<HeloEvidence | NotMade> {
    const { helo = '', client } = view.facts;
    return spared(view, services) ?? lookUpHelo(services.resolver, helo, client.address);
  },

  judge(evidence, { closeIfForged, ifNotFound, dnsTrouble }) {
    if (!evidence.made || evidence.result === 'match') return NOTHING;
    if (evidence.result === 'cannot-tell') return trouble('cannot-tell', dnsTrouble);
    if (evidence.result === 'mismatch') {
      if (!closeIfForged) return [{ code: 'mismatch' }];
      const text = 'the name in your HELO is not yours';
      return [{ code: 'mismatch', action: 'refuse', reply: answer501(text, true) }];
    }
    if (ifNotFound === 'accept') return [{ code: 'not-found' }];
    const text = 'the name in your HELO does not exist';
    if (ifNotFound === 'defer')
      return [{ code: 'not-found', action: 'defer', reply: { code: 451, enhanced: '4.7.1', text } }];
    return [{ code: 'not-found', action: 'refuse', reply: answer501(text, ifNotFound === 'close') }];
  },

  edits(evidence, settings) {
    const failed = evidence.made && (evidence.result === 'mismatch' || evidence.result === 'not-found');
    return warningHeader(settings.warningHeader && failed ? `helo-${evidence.result}` : undefined);
  },
});
