/**
 * IP shielding: mail of a domain must come from the networks paired with it, or is refused. A domain without a pair
 * is not affected. The domain in MAIL is checked there, those in From at the end of data; each recipient gets both
 * verdicts.
 *
 * A satisfied pair exempts the sender from checks with `ipShield` among their exemptions, as if it had authenticated;
 * a preset exempts it from SPF and DMARC only (`presetsSpare`).
 */
import { andThen, type MaybePromise } from '../../../model/maybe-promise.ts';
import { defineSettings, flag } from '../../../settings/define.ts';
import { defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { NOT_SHIELDED, presetNetworks, type Shielding, verdictUnder } from '../../sender/shielding.ts';
import { shieldSettings } from '../../settings.ts';

type Observation = {
  readonly client: string;
  readonly field: 'MAIL' | 'From';
  /** The domains that have pairs or presets, with the verdict of the pairs. */
  readonly domains: readonly (Shielding & { readonly domain: string })[];
};

const CLEAR: Observation = Object.freeze({ client: '', field: 'MAIL', domains: NOTHING });

const own = defineSettings('ipShield', {
  checkFrom: flag(true, 'Also compares the domains in the From field with the pairs, at the end of data.'),
  exceptLocalRecipients: flag(
    true,
    'Mail to valid local users is not compared with the pairs; what pretends to be local is still refused by `relay.onlyDomainServers`. Off, users of paired domains who write from elsewhere, and lists that keep their From, are refused.',
  ),
});

export const ipShield = defineCheck({
  id: 'ipShield',
  stage: ['rcpt', 'message'],
  guide: 'IP Shielding',
  exempt: ['authenticated', 'domainMailServer', 'ipShield'],
  clear: CLEAR,
  protects: true,
  policy: { enabled: true, action: 'refuse', quarantine: 'admin', score: 0, serverWide: true },
  codes: { 'not-from-here': 'the client is in none of the networks that are paired with the domain of the sender' },
  settings: { ...shieldSettings, ...own },

  observe(view: Views['rcpt' | 'message']): MaybePromise<Observation> {
    if (view.stage === 'rcpt')
      return andThen(view.sender, ({ shield }) => {
        const domain = view.reversePath?.domain ?? '';
        return mayViolate(shield)
          ? { client: view.facts.client.address, field: 'MAIL', domains: [{ ...shield, domain }] }
          : CLEAR;
      });
    // Usually From is of the domain in MAIL: then nothing has to be awaited.
    const { header, reversePath } = view;
    const others = header.author.domains.some((domain) => domain !== reversePath?.domain);
    return others ? inHeader(view) : CLEAR;
  },

  judge({ client, field, domains }, { checkFrom, exceptLocalRecipients, presets }, context) {
    if (domains.length === 0 || (field === 'From' && !checkFrom)) return NOTHING;
    const networks = presetNetworks(presets);
    const violates = domains.find((one) => verdictUnder(one, client, networks) === 'violated')?.domain ?? '';
    if (violates === '') return NOTHING;
    if (exceptLocalRecipients && context && context.direction !== 'outbound') return NOTHING;
    const text = `${violates} in ${field} is not sent from your address; sign in, or use its mail servers`;
    return [{ code: 'not-from-here', text, reply: { code: 550, enhanced: '5.7.1', text } }];
  },
});

function mayViolate({ pairs, presets }: Shielding): boolean {
  return pairs === 'violated' || (presets && pairs !== 'entered');
}

/**
 * The domains of From that may be paired with other networks than the client's; the domain of MAIL was checked
 * already.
 */
async function inHeader(view: Views['message']): Promise<Observation> {
  const { header, reversePath, facts } = view;
  const domains: (Shielding & { readonly domain: string })[] = [];
  // As many as a From field can have: none may be skipped.
  for (const domain of header.author.domains) {
    const shielding = domain === reversePath?.domain ? NOT_SHIELDED : await view.shieldOf(domain);
    if (mayViolate(shielding)) domains.push({ ...shielding, domain });
  }
  return domains.length === 0 ? CLEAR : { client: facts.client.address, field: 'From', domains };
}
