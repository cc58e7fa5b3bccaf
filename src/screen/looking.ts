/**
 * Settings of looking: the only ones that may be read during observation, since they decide which questions are
 * asked, or which work is done. All others are read when evidence is judged, so that past mail can be judged again
 * under other values.
 *
 * Evidence contains the value of each one that is not the default (engine/evidence.ts); if another value would have
 * observed something else, the replay answers `unknown` (replay/unknown.ts). A test runs every check with a registry
 * that throws for any other setting.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../model/finding.ts';
import type { SettingsSnapshot } from '../settings/contract.ts';
import type { SettingDefinition } from '../settings/define.ts';
import { lookAlikeSettings } from './checks/identity/look-alike-domain.ts';
import { authenticationSettings } from './checks/origin/settings.ts';
import { dkimSettings } from './checks/origin/signatures/settings.ts';
import { heloUse, spfSettings } from './checks/origin/spf/judgement.ts';
import { relaySettings, shieldSettings } from './settings.ts';

export interface Looking {
  readonly setting: SettingDefinition<unknown>;
  /** What the setting decides, to explain an `unknown`. */
  readonly why: string;
}

const looking = (setting: object, why: string): Looking => ({ setting: setting as SettingDefinition<unknown>, why });

/**
 * The settings of looking in evidence: each value that is not the default, a list as its digest. Undefined: all are
 * the default.
 */
export type Looked = { readonly [key: string]: Json };

export function lookedBy(snapshot: SettingsSnapshot): Looked | undefined {
  const looked: Record<string, Json> = {};
  for (const { setting } of LOOKING) {
    const value = lookedValue(setting, snapshot);
    if (value !== undefined) looked[setting.key] = value;
  }
  return Object.keys(looked).length === 0 ? undefined : Object.freeze(looked);
}

/** The value as evidence contains it; undefined: the default. */
export function lookedValue(setting: SettingDefinition<unknown>, snapshot: SettingsSnapshot): Json | undefined {
  // If any domain refuses by HELO, HELO is checked for all.
  if (setting.key === spfSettings.heloAction.key) return heloUse(snapshot) === 'decides' ? 'decides' : undefined;
  const value = snapshot.get(setting);
  if (isDeepStrictEqual(value, setting.default)) return undefined;
  if (typeof value !== 'object') return value as Json;
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 16);
}

export const LOOKING: readonly Looking[] = [
  looking(authenticationSettings.trustedRelays, 'whose address SPF and reverse look-ups ask about'),
  looking(spfSettings.heloAction, 'how many look-ups the SPF record of the HELO name may take'),
  looking(dkimSettings.minimumKeyBits, 'which signatures are verified, and whose policies DMARC asks for by them'),
  looking(lookAlikeSettings.frequentMessages, 'which correspondents’ domains are compared, and there may be many'),
  looking(authenticationSettings.authservId, 'which fields of the header claim to be ours; no finding comes of it'),
  looking(relaySettings.throughDomainServers, 'whether the directory is asked for all domains of a server'),
  looking(shieldSettings.natAddresses, 'whether the address of a client is its own, so that anything may rest on it'),
];
