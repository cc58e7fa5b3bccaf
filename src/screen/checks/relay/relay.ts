/**
 * Relay control: mail for remote recipients is accepted only from senders that this node trusts.
 *
 * A remote recipient is accepted from an authenticated session, from a domain mail server of the sender's domain, or
 * from a network that an operator paired with it. A recipient whose local part asks for a further hop (source route,
 * percent hack, bang path, quoted @) counts as remote, even in a local domain. If the DNS cannot tell whether the
 * client is such a server, the sender is asked to try again. Always on.
 */
import { andThen, isPromise, type MaybePromise } from '../../../model/maybe-promise.ts';
import { looksLikeRelay } from '../../../protocol/smtp/address.ts';
import { type CheckServices, defineCheck, NOTHING, type SenderKind, type Views } from '../../engine/check.ts';
import { isTrusted, orCannotTell, SERVER_UNTOLD } from '../../sender/recipient-context.ts';

type To = 'local' | 'remote' | 'further-hop';
type Observation = { readonly to: To; readonly from: SenderKind; readonly forwards?: true; readonly unmarked?: true };

const observationFrom = (from: SenderKind): Readonly<Record<To, Observation>> => ({
  local: Object.freeze({ to: 'local', from }),
  remote: Object.freeze({ to: 'remote', from }),
  'further-hop': Object.freeze({ to: 'further-hop', from }),
});
const FROM_STRANGER = observationFrom('stranger');
const OBSERVATIONS: Readonly<Record<SenderKind, Readonly<Record<To, Observation>>>> = {
  authenticated: observationFrom('authenticated'),
  'domain-server': observationFrom('domain-server'),
  shielded: observationFrom('shielded'),
  stranger: FROM_STRANGER,
  'cannot-tell': observationFrom('cannot-tell'),
};

const DENIED = { code: 550, enhanced: '5.7.1', text: 'relaying denied: sign in, or send to a recipient here' } as const;
const FORWARDED = {
  code: 550,
  enhanced: '5.7.1',
  text: 'relaying denied: your server forwards for a sender elsewhere; rewrite the sender to your domain (SRS)',
} as const;
const UNMARKED = {
  code: 550,
  enhanced: '5.7.1',
  text: "relaying denied: your server is trusted with its tenant's mark only, and the message has none",
} as const;

export const relay = defineCheck({
  id: 'relay',
  stage: 'rcpt',
  guide: 'Relay Control',
  exempt: [],
  clear: FROM_STRANGER.local,
  protects: true,
  codes: {
    'relay-denied': 'a stranger sends to a recipient elsewhere',
    'further-hop': 'a stranger asks for a further hop by the form of the address',
    forwarded:
      'a domain mail server forwards for a sender elsewhere: it must rewrite the sender (SRS), or relay.throughDomainServers must allow it',
    unmarked:
      'a server on shared infrastructure sends without the tenant marker that was entered for it: another customer of the provider could have sent it',
    'cannot-tell': "the DNS cannot say whether the client is a mail server of the sender's domain",
  },
  settings: {},

  observe(view: Views['rcpt'], { directory }: CheckServices): MaybePromise<Observation> {
    const { recipient, resolution, context, reversePath, facts } = view;
    const to = looksLikeRelay(recipient.address) ? 'further-hop' : resolution.kind === 'remote' ? 'remote' : 'local';
    const seen = OBSERVATIONS[context.sender][to];
    if (to !== 'remote' || context.sender !== 'stranger') return seen;
    // Known only once the header was read; the sender is not awaited then.
    if (!isPromise(view.sender) && view.sender.unmarked) return { ...seen, unmarked: true };
    if (reversePath === null) return seen;
    return orCannotTell(seen, () =>
      andThen(directory.mailServerDomains(facts.client.address), (domains) =>
        domains.length > 0 ? { ...seen, forwards: true as const } : seen,
      ),
    );
  },

  judge({ to, from, forwards, unmarked }) {
    if (to === 'local' || isTrusted(from)) return NOTHING;
    if (from === 'cannot-tell') return [SERVER_UNTOLD];
    if (unmarked) return [{ code: 'unmarked', action: 'refuse', reply: UNMARKED }];
    if (forwards) return [{ code: 'forwarded', action: 'refuse', reply: FORWARDED }];
    return [{ code: to === 'remote' ? 'relay-denied' : 'further-hop', action: 'refuse', reply: DENIED }];
  },
});
