/**
 * Senders of local domains must authenticate: mail that claims a local domain is accepted only from an authenticated
 * session, or from a domain mail server of that domain.
 *
 * The exceptions are those of the guide and no others: domain mail servers, pairs of IP shielding, and optionally
 * mail to local recipients. If the DNS cannot tell whether the client is such a server, it is asked to try again.
 */
import { andThen, type MaybePromise } from '../../../model/maybe-promise.ts';
import { defineSettings, flag } from '../../../settings/define.ts';
import { type CheckServices, defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { isTrusted, orCannotTell, SERVER_UNTOLD } from '../../sender/recipient-context.ts';

type Observation = { readonly local: boolean | 'cannot-tell' };

const LOCAL: Observation = Object.freeze({ local: true });
const FOREIGN: Observation = Object.freeze({ local: false });
const UNTOLD: Observation = Object.freeze({ local: 'cannot-tell' });
const REQUIRED = { code: 530, enhanced: '5.7.0', text: 'authentication is required to send as this domain' } as const;

const settings = defineSettings('authenticationRequired', {
  enabled: flag(
    false,
    'Senders of local domains must authenticate: others get 530 5.7.0. Domain mail servers of the sender’s domain and pairs of IP shielding are exempt. The guide recommends it. Before you turn it on, see that no service outside (a newsletter, a mailing list) sends to you under addresses of yours without signing in.',
  ),
  unlessToLocal: flag(false, 'Mail to local recipients is exempt too, however it came.'),
});

export const authenticationRequired = defineCheck({
  id: 'authenticationRequired',
  stage: 'mail',
  guide: 'Use SMTP Authentication',
  exempt: [],
  clear: FOREIGN,
  protects: true,
  codes: {
    required: 'a stranger sends as a local domain without signing in',
    'cannot-tell': "the DNS cannot say whether the client is a mail server of the sender's domain",
  },
  settings,

  observe({ facts, reversePath }: Views['mail'], services: CheckServices): MaybePromise<Observation> {
    if (facts.account !== undefined || reversePath === null) return FOREIGN;
    const { directory } = services;
    return orCannotTell(UNTOLD, () =>
      andThen(directory.domain(reversePath.domain), (domain) => (domain?.enabled ? LOCAL : FOREIGN)),
    );
  },

  judge({ local }, { enabled, unlessToLocal }, context) {
    if (!enabled || !local || !context || isTrusted(context.sender)) return NOTHING;
    if (unlessToLocal && context.direction !== 'outbound') return NOTHING;
    if (local === 'cannot-tell' || context.sender === 'cannot-tell') return [SERVER_UNTOLD];
    return [{ code: 'required', action: 'refuse', reply: REQUIRED }];
  },
});
