/** Settings that the checks of a message's origin share. */
import { choice, defineSettings, networks, text } from '../../../settings/define.ts';

export const authenticationSettings = defineSettings('authentication', {
  dnsTrouble: choice(
    ['accept', 'defer'],
    'accept',
    'What happens to mail whose origin cannot be verified because name servers do not answer: `accept` takes it without the result, `defer` answers 451 4.4.3, so that the sender tries again. It is never refused for that. Where this node itself is short of look-ups, it is 451 4.3.2 in either case.',
    { scope: 'domain' },
  ),
  trustedRelays: networks(
    [],
    'Addresses and networks (`192.0.2.0/24`) of servers that take mail in front of this one: a second MX, a filtering service, a fetching host. Reverse look-ups spare them, and SPF asks about the first hop behind them, as their Received fields tell it. List only servers whose Received fields you trust.',
    { maxItems: 1000 },
  ),
  authservId: text(
    '',
    'The name under which results are written in `Authentication-Results` (RFC 8601 2.5), and whose forged results are removed. Empty: the host name of the node. Give all nodes of an organisation the same.',
    { maxLength: 253 },
  ),
});
