/**
 * Relay control: mail for elsewhere leaves only for those whom this node knows.
 *
 * A remote recipient is accepted from an authenticated session, or from a domain mail server of the
 * sender's domain; so is one whose local part asks for a further hop (source route, percent hack,
 * bang path, quoted @), however local its domain. Where the DNS cannot say whether the client is
 * such a server, the sender is asked to come back. Always on.
 */
import { looksLikeRelay } from '../../protocol/smtp/address.ts';
import { defineCheck, NOTHING, type SenderKind } from '../check.ts';
import { isTrusted } from '../who.ts';

type To = 'local' | 'remote' | 'further-hop';

const DENIED = { code: 550, enhanced: '5.7.1', text: 'relaying denied: sign in, or send to a recipient here' } as const;
const LATER = {
  code: 451,
  enhanced: '4.4.3',
  text: 'cannot tell now whether your server may send for this domain, try again later',
} as const;

export const relay = defineCheck({
  id: 'relay',
  stage: 'rcpt',
  guide: 'Relay Control',
  exempt: [],
  protects: true,
  codes: {
    'relay-denied': 'a stranger sends to a recipient elsewhere',
    'further-hop': 'a stranger asks for a further hop by the form of the address',
    'cannot-tell': "the DNS cannot say whether the client is a mail server of the sender's domain",
  },
  settings: {},

  observe({ recipient, resolution, who }): { to: To; from: SenderKind } {
    const to = looksLikeRelay(recipient.address) ? 'further-hop' : resolution.kind === 'remote' ? 'remote' : 'local';
    return { to, from: who.sender };
  },

  judge({ to, from }) {
    if (to === 'local' || isTrusted(from)) return NOTHING;
    if (from === 'cannot-tell') return [{ code: 'cannot-tell', action: 'defer', reply: LATER }];
    return [{ code: to === 'remote' ? 'relay-denied' : 'further-hop', action: 'refuse', reply: DENIED }];
  },
});
