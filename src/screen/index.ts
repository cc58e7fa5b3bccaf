/**
 * The checks in declared order, which is also the order in which they speak: when all recipients
 * are refused, the first refusing check here gives the reply. DMARC hears all that are declared before
 * it; the fields that tell of the results come last.
 */

import { authenticationSettings } from './authentication/settings.ts';
import type { Check, SettingDefinitions } from './check.ts';
import { arc } from './checks/arc.ts';
import { authenticationRequired } from './checks/authentication-required.ts';
import { authenticationResults } from './checks/authentication-results.ts';
import { bimi } from './checks/bimi.ts';
import { blockList } from './checks/block-list.ts';
import { displayNameProtection } from './checks/display-name-protection.ts';
import { dkim } from './checks/dkim.ts';
import { dmarc } from './checks/dmarc.ts';
import { fromHeaderScreening } from './checks/from-header-screening.ts';
import { headerSanity } from './checks/header-sanity.ts';
import { hops } from './checks/hops.ts';
import { ipShield } from './checks/ip-shield.ts';
import { localMail } from './checks/local-mail.ts';
import { lookAlikeDomain } from './checks/look-alike-domain.ts';
import { messageSize } from './checks/message-size.ts';
import { recipientExists } from './checks/recipient-exists.ts';
import { relay } from './checks/relay.ts';
import { reverseLookupHelo } from './checks/reverse-lookup-helo.ts';
import { reverseLookupMail } from './checks/reverse-lookup-mail.ts';
import { reverseLookupPtr } from './checks/reverse-lookup-ptr.ts';
import { senderExists } from './checks/sender-exists.ts';
import { fromMatchesLogin, senderMatchesLogin } from './checks/sender-matches-login.ts';
import { spf } from './checks/spf.ts';
import { spfRelayed } from './checks/spf-relayed.ts';
import { settingsOf } from './policies.ts';
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
