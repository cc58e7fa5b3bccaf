/** Settings of the self-check. */
import { parseDomain } from '../protocol/smtp/domain.ts';
import { defineSettings, list } from '../settings/define.ts';
import { POSTURE_LIMITS } from './limits.ts';

export const postureSettings = defineSettings('posture', {
  dnsLists: list(
    ['zen.spamhaus.org', 'bl.spamcop.net'],
    'DNS block lists that `postern check` asks about the public addresses of this node: `zen.spamhaus.org` (spam ' +
      'sources, hijacked machines, and address ranges that should send no mail) and `bl.spamcop.net` (addresses that ' +
      'users reported lately). Lists refuse to answer through public resolvers; that is told as "cannot tell".',
    { maxItems: POSTURE_LIMITS.dnsLists, check: namesOnly },
  ),
  exchangers: list(
    [],
    'Mail exchangers that a domain may rightly name beside this node: other nodes, a backup. `postern check` tells ' +
      'of any other, since mail that comes by it passes this node by.',
    { maxItems: 100, check: namesOnly },
  ),
});

function namesOnly(values: readonly string[]): string | undefined {
  const wrong = values.find((value) => !value.includes('.') || !parseDomain(value).ok);
  return wrong === undefined ? undefined : `must be a list of domain names, and ${wrong} is none`;
}
