/**
 * The checks in declared order, which is also the order in which they speak: when all recipients
 * are refused, the first refusing check here gives the reply.
 */
import type { Check, SettingDefinitions } from './check.ts';
import { headerSanity } from './checks/header-sanity.ts';
import { hops } from './checks/hops.ts';
import { messageSize } from './checks/message-size.ts';
import { recipientExists } from './checks/recipient-exists.ts';
import { relay } from './checks/relay.ts';
import { settingsOf } from './policies.ts';
import { screenOwnSettings, smtpSettings } from './settings.ts';

export const CHECKS: readonly Check[] = [relay, recipientExists, messageSize, hops, headerSanity];

/** Every setting of this room, by key: for the catalogue. */
export const screenSettings: SettingDefinitions = Object.assign(
  {},
  ...[smtpSettings, screenOwnSettings].map((group) =>
    Object.fromEntries(Object.values(group).map((setting) => [setting.key, setting])),
  ),
  ...CHECKS.map(settingsOf),
);
