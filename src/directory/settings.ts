/** Settings of the directory. */

import { parseAddress } from '../protocol/smtp/address.ts';
import { defineSettings, list, networks, text } from '../settings/define.ts';

const SEPARATORS = ['', '+', '-', '_', '=', '.', '~', '#'];

export const directorySettings = defineSettings('directory', {
  subaddressSeparator: text(
    '+',
    'What divides a mailbox from its sub-address: with `+`, mail to alice+news@example.com belongs to ' +
      'alice@example.com, unless an account or alias of the longer name exists. The address is passed on as it is. ' +
      'Empty turns sub-addresses off.',
    {
      scope: 'domain',
      maxLength: 1,
      check: (value) =>
        SEPARATORS.includes(value) ? undefined : `must be empty or one of ${SEPARATORS.slice(1).join(' ')}`,
    },
  ),
  administrators: list(
    [],
    'The administrators’ addresses. Mail to postmaster and abuse goes to them where a domain has neither such an ' +
      'account or alias nor a mail server, and so does mail to the bare `<postmaster>`. While it is empty, the bare `<postmaster>` is that of the oldest domain, and the rest of such mail is deferred.',
    { maxItems: 20, check: addressesOnly },
  ),
  sharedNetworks: networks(
    [],
    'Networks that several organisations send from, beside those of Microsoft 365 and Google, which are known: a hosting provider, a cloud’s relays. A domain mail server there is trusted by its address only together with a tenant marker, a client certificate or a sign-in (`postern server add`).',
    { maxItems: 1000 },
  ),
});

function addressesOnly(values: readonly string[]): string | undefined {
  const wrong = values.find((value) => !parseAddress(value).ok);
  return wrong === undefined ? undefined : `must be a list of addresses, and ${wrong} is none`;
}
