/** The meaning of SPF results: one policy for direct mail and for mail that a relay of ours received. */

import { UNKNOWN_ADDRESS } from '../../../../model/session.ts';
import type { SettingsSnapshot } from '../../../../settings/contract.ts';
import { choice, count, defineSettings } from '../../../../settings/define.ts';
import { type CheckPolicyDefaults, NOTHING, type Said, type SettingValues } from '../../../engine/check.ts';
import { clientUnknown, trouble } from '../said.ts';
import { authenticationSettings } from '../settings.ts';
import type { NotMade, SpfEvidence } from '../types.ts';
import type { HeloUse } from './evaluation.ts';

export const SPF_POLICY: CheckPolicyDefaults = { enabled: true, action: 'refuse', quarantine: 'user', score: 0 };

export const SPF_CODES = {
  fail: 'the domain in MAIL says that this address may not send for it',
  softfail: 'the domain in MAIL says that this address probably may not send for it',
  'helo-fail': 'the domain in HELO says that this address may not use its name',
  pass: 'the domain in MAIL says that this address may send for it',
  permerror: 'the SPF record of the domain in MAIL is broken',
  temperror: 'name servers do not say whether this address may send for the domain in MAIL',
} as const;

export const spfSettings = {
  ...defineSettings('spf', {
    softfailScore: count(2, { min: 0, max: 100 }, 'What a soft fail (`~all`) adds to the score.', { scope: 'domain' }),
    passCredit: count(
      0,
      { min: 0, max: 100 },
      'Taken from the score of mail whose sender passes. Spammers pass too: a large credit helps them.',
      { scope: 'domain' },
    ),
    heloAction: choice(
      ['accept', 'refuse'],
      'accept',
      'What happens when only the HELO name fails hard: `refuse` answers 550 5.7.23, `accept` records it.',
      { scope: 'domain' },
    ),
  }),
  dnsTrouble: authenticationSettings.dnsTrouble,
};

/** Whether any domain refuses by HELO. */
export function heloUse(settings: SettingsSnapshot): HeloUse {
  const { heloAction } = spfSettings;
  const decides = settings.get(heloAction) === 'refuse' || (settings.isOverridden?.(heloAction) ?? true);
  return decides ? 'decides' : 'written-down';
}

type Code = keyof typeof SPF_CODES;

export function judgeSpf(
  evidence: SpfEvidence | NotMade,
  { softfailScore, passCredit, heloAction, dnsTrouble }: SettingValues<typeof spfSettings>,
): readonly Said<Code>[] {
  if (!evidence.made) return NOTHING;
  const { mail, helloIdentity, client } = evidence;
  switch (mail.result) {
    case 'fail': {
      // RFC 7372 3.2.
      const text = `SPF of ${mail.domain} does not allow ${client} to send for it`;
      return [{ code: 'fail', text, reply: { code: 550, enhanced: '5.7.23', text } }];
    }
    case 'temperror':
      if (client === UNKNOWN_ADDRESS && dnsTrouble === 'defer') return clientUnknown('temperror');
      return trouble('temperror', dnsTrouble);
    case 'permerror':
      return [{ code: 'permerror', outcome: 'error', text: `${SPF_CODES.permerror}: ${mail.text}` }];
    default:
  }
  if (helloIdentity?.result === 'fail') {
    const text = `SPF of ${helloIdentity.domain} does not allow ${client} to use its name`;
    return [{ code: 'helo-fail', text, action: heloAction, reply: { code: 550, enhanced: '5.7.23', text } }];
  }
  if (mail.result === 'softfail') return [{ code: 'softfail', action: 'accept', score: softfailScore }];
  if (mail.result === 'pass' && passCredit > 0) return [{ code: 'pass', outcome: 'pass', score: -passCredit }];
  return NOTHING;
}
