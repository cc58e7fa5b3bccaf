/**
 * SPF of mail that a relay of ours received: checked for the first hop behind it, which its Received field names.
 * Judged by the settings of SPF, at the end of data.
 */
import type { MaybePromise } from '../../../model/maybe-promise.ts';
import { type CheckServices, defineCheck, type Views } from '../../engine/check.ts';
import { evaluateSpf } from './spf/evaluation.ts';
import { heloUse, judgeSpf, SPF_CODES, SPF_POLICY, spfSettings } from './spf/judgement.ts';
import { firstUntrustedHop, trustedRelays } from './spf/relays.ts';
import type { NotMade, SpfEvidence } from './types.ts';

const DIRECT: NotMade = Object.freeze({ made: false, why: 'direct' });
const UNREADABLE: NotMade = Object.freeze({ made: false, why: 'relay' });

export const spfRelayed = defineCheck({
  id: 'spfRelayed',
  stage: 'message',
  guide: 'Sender Policy Framework (SPF), behind a trusted relay',
  exempt: ['authenticated', 'domainMailServer', 'allowListed', 'ipShield'],
  presetsSpare: true,
  protects: true,
  lazy: true,
  settingsGroup: 'spf',
  policy: SPF_POLICY,
  codes: SPF_CODES,
  settings: spfSettings,

  observe(
    { facts, reversePath, head }: Views['message'],
    services: CheckServices,
  ): MaybePromise<SpfEvidence | NotMade> {
    const relays = trustedRelays(services.settings);
    if (!relays.has(facts.client.address)) return DIRECT;
    const hop = firstUntrustedHop(head, relays);
    return hop ? evaluateSpf(hop, reversePath, services, heloUse(services.settings.current())) : UNREADABLE;
  },

  judge: judgeSpf,
});
