/** Settings of reports: which are sent, and from which address. */
import { parseAddress } from '../protocol/smtp/address.ts';
import { amount, count, defineSettings, flag, text } from '../settings/define.ts';

export const reportSettings = defineSettings('report', {
  contact: text(
    '',
    'The address that DMARC reports come from, and where their readers can ask; for example dmarc@example.com. Its domain must be one of this node, with SPF, DMARC and MX in the DNS. While it is empty, no reports are sent.',
    { maxLength: 254, check: (value) => (value === '' || parseAddress(value).ok ? undefined : 'must be an address') },
  ),
  organisation: text('', 'How reports call this organisation. Empty: the domain of `report.contact`.', {
    maxLength: 200,
  }),
  extraContact: text('', 'What else readers of reports should know, for example a page with an explanation.', {
    maxLength: 500,
  }),
  aggregate: flag(
    true,
    'Whether what DMARC says of incoming mail is counted, and told once a day to the domains that ask for it (RFC 9990). Reports hold no content and no recipients. Nothing is sent before `report.contact` is set and its domain’s DNS is in order.',
  ),
  failure: flag(
    false,
    'Whether single failures are told at once to the domains that ask for it (RFC 9991). Such a report holds the sender, the subject and the Message-ID of a message, so leave it off where the law or your users would mind.',
  ),
  failuresPerDay: count(
    20,
    { min: 1, max: 1000 },
    'How many failure reports one domain gets in a day. Who forges its mail must not be able to flood it.',
  ),
  maskReserved: flag(
    true,
    'Whether private and otherwise reserved addresses in failure reports become X.X.X.X, so that they tell nothing of the network here.',
  ),
  keepDays: amount(
    400,
    'days',
    { min: 7, max: 3650 },
    'How long reports of others on our domains are kept for `postern report incoming`.',
  ),
});
