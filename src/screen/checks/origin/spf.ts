/**
 * SPF (RFC 7208): whether this client may send for the domain in MAIL, and for the name in HELO.
 *
 * Begins with the first recipient that may be accepted. A hard fail is refused by default; a broken record
 * (permerror) and DNS trouble (temperror) never are. Mail from a trusted relay is judged with its header, by
 * spf-relayed.ts.
 */
import type { MaybePromise } from '../../../model/maybe-promise.ts';
import { type CheckServices, defineCheck, type Views } from '../../engine/check.ts';
import { evaluateSpf } from './spf/evaluation.ts';
import { heloUse, judgeSpf, SPF_CODES, SPF_POLICY, spfSettings } from './spf/judgement.ts';
import { trustedRelays } from './spf/relays.ts';
import type { NotMade, SpfEvidence } from './types.ts';

const LATER: NotMade = Object.freeze({ made: false, why: 'later' });

export const spf = defineCheck({
  id: 'spf',
  stage: 'mail',
  begins: 'rcpt',
  answers: 'rcpt',
  guide: 'Sender Policy Framework (SPF)',
  exempt: ['authenticated', 'domainMailServer', 'allowListed', 'ipShield'],
  presetsSpare: true,
  protects: true,
  lazy: true,
  policy: SPF_POLICY,
  codes: SPF_CODES,
  settings: spfSettings,

  observe({ facts, reversePath }: Views['mail'], services: CheckServices): MaybePromise<SpfEvidence | NotMade> {
    if (trustedRelays(services.settings).has(facts.client.address)) return LATER;
    const hop = { client: facts.client.address, helo: facts.helo ?? '' };
    return evaluateSpf(hop, reversePath, services, heloUse(services.settings.current()));
  },

  judge: judgeSpf,
});
