/**
 * The checks in declared order, which is also the order of precedence: when all recipients are refused, the first
 * refusing check here gives the reply. DMARC gets the findings of all checks declared before it; the checks that
 * write result fields come last.
 */

import { displayNameProtection } from './checks/identity/display-name-protection.ts';
import { fromHeaderScreening } from './checks/identity/from-header-screening.ts';
import { lookAlikeDomain } from './checks/identity/look-alike-domain.ts';
import { headerSanity } from './checks/message/header-sanity.ts';
import { hops } from './checks/message/hops.ts';
import { messageSize } from './checks/message/message-size.ts';
import { arc } from './checks/origin/arc.ts';
import { authenticationResults } from './checks/origin/authentication-results.ts';
import { bimi } from './checks/origin/bimi.ts';
import { dkim } from './checks/origin/dkim.ts';
import { dmarc } from './checks/origin/dmarc.ts';
import { authenticationSettings } from './checks/origin/settings.ts';
import { spf } from './checks/origin/spf.ts';
import { spfRelayed } from './checks/origin/spf-relayed.ts';
import { authenticationRequired } from './checks/relay/authentication-required.ts';
import { localMail } from './checks/relay/local-mail.ts';
import { recipientExists } from './checks/relay/recipient-exists.ts';
import { relay } from './checks/relay/relay.ts';
import { senderExists } from './checks/relay/sender-exists.ts';
import { fromMatchesLogin, senderMatchesLogin } from './checks/relay/sender-matches-login.ts';
import { reverseLookupHelo } from './checks/reverse-lookup/helo.ts';
import { reverseLookupMail } from './checks/reverse-lookup/mail.ts';
import { reverseLookupPtr } from './checks/reverse-lookup/ptr.ts';
import { blockList } from './checks/sender-rules/block-list.ts';
import { ipShield } from './checks/sender-rules/ip-shield.ts';
import type { Check, SettingDefinitions } from './engine/check.ts';
import { settingsOf } from './engine/policies.ts';
import { listSettings, relaySettings, screenOwnSettings, smtpSettings } from './settings.ts';

export const CHECKS: readonly Check[] = [
  relay,
  authenticationRequired,
  senderMatchesLogin,
  localMail,
  senderExists,
  ipShield,
  blockList,
  recipientExists,
  messageSize,
  reverseLookupPtr,
  reverseLookupHelo,
  reverseLookupMail,
  spf,
  spfRelayed,
  hops,
  headerSanity,
  fromMatchesLogin,
  dkim,
  arc,
  fromHeaderScreening,
  displayNameProtection,
  lookAlikeDomain,
  dmarc,
  bimi,
  authenticationResults,
];

/** Every setting of this room, by key: for the catalogue. */
export const screenSettings: SettingDefinitions = Object.assign(
  {},
  ...[smtpSettings, screenOwnSettings, relaySettings, listSettings, authenticationSettings].map((group) =>
    Object.fromEntries(Object.values(group).map((setting) => [setting.key, setting])),
  ),
  ...CHECKS.map(settingsOf),
);
