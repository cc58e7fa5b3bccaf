/**
 * Relay control: which clients may send as a local domain. Only its own mail servers, with the exceptions that the
 * operator configures; each recipient is judged alone. The null reverse-path has no domain.
 */
import { andThen, type MaybePromise } from '../../../model/maybe-promise.ts';
import { defineCheck, NOTHING, type SenderKind, type Views } from '../../engine/check.ts';
import { SERVER_UNTOLD } from '../../sender/recipient-context.ts';
import { relaySettings } from '../../settings.ts';

type Observation = {
  readonly local: boolean;
  readonly from: SenderKind;
  readonly toLocal: boolean;
  /** On the port for servers. */
  readonly onServerPort: boolean;
  /** Authenticated as a domain, not as a person. */
  readonly asDomain: boolean;
};

const FOREIGN: Observation = Object.freeze({
  local: false,
  from: 'stranger',
  toLocal: false,
  onServerPort: false,
  asDomain: false,
});

const DENIED = {
  code: 550,
  enhanced: '5.7.1',
  text: 'senders of this domain must use its mail servers, or sign in to submit',
} as const;

export const localMail = defineCheck({
  id: 'localMail',
  stage: 'rcpt',
  guide: 'Relay Control: only domain mail servers can send local mail',
  exempt: [],
  clear: FOREIGN,
  protects: true,
  codes: {
    'not-a-domain-server': "the sender is of a local domain, the client none of that domain's mail servers",
    'cannot-tell': "the DNS cannot say whether the client is a mail server of the sender's domain",
  },
  settings: relaySettings,

  observe({ sender, resolution, facts }: Views['rcpt']): MaybePromise<Observation> {
    return andThen(sender, ({ isLocal, kind }) => {
      if (!isLocal) return FOREIGN;
      return {
        local: true,
        from: kind,
        toLocal: resolution.kind === 'local' || resolution.kind === 'role',
        onServerPort: facts.profile === 'mx',
        asDomain: facts.account !== undefined && facts.account.indexOf('@') <= 0,
      };
    });
  },

  judge({ local, from, toLocal, onServerPort, asDomain }, settings, context) {
    if (!local || !settings.onlyDomainServers || from === 'domain-server') return NOTHING;
    if (from === 'shielded' && settings.exceptShielded) return NOTHING;
    if (toLocal && settings.exceptLocalRecipients) return NOTHING;
    if (from === 'authenticated') {
      if (asDomain || (settings.exceptAuthenticated && (!onServerPort || settings.exceptAuthenticatedOn25)))
        return NOTHING;
    }
    if (settings.exceptAllowListed && context?.listing?.list === 'allow' && context.listing.kind !== 'address')
      return NOTHING;
    if (from === 'cannot-tell') return [SERVER_UNTOLD];
    return [{ code: 'not-a-domain-server', action: 'refuse', reply: DENIED }];
  },
});
