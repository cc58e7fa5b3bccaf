/**
 * From the matches of lists and pairs for a sender to what counts for one recipient. Lists and pairs are data;
 * whether an address must be proven, and which networks are preset, are settings, so they are applied here, when a
 * message is judged and when it is judged again.
 */

import type { NetworkTable } from '../../protocol/network/table.ts';
import type { SettingsSnapshot } from '../../settings/contract.ts';
import type { CountingEntry, GrantedExemption, RecipientContext } from '../engine/check.ts';
import { listSettings, shieldSettings } from '../settings.ts';
import { presetNetworks } from './shielding.ts';

export type Granted = {
  /** Pairs cover all domains of the sender, or presets cover those without pairs. */
  readonly shield?: 'entered' | 'presets';
  /** The entry that counts where addresses must be proven. */
  readonly listing?: CountingEntry;
  /** The one that counts if they need not be proven, if it differs; null: none. */
  readonly unprovenListing?: CountingEntry | null;
  /** It depends on a look-up that was not done: whether an address is proven, or the client's names. */
  readonly isUnasked?: true;
  /** The lists could not be read. */
  readonly isUntold?: true;
};

/** The settings that apply to all that. */
export interface GrantRules {
  readonly provenAddresses: boolean;
  readonly presets: NetworkTable<true>;
}

export const NOTHING_GRANTED: Granted = Object.freeze({});

export function grantRules(snapshot: SettingsSnapshot): GrantRules {
  return {
    provenAddresses: snapshot.get(listSettings.provenAddresses),
    presets: presetNetworks(snapshot.get(shieldSettings.presets)),
  };
}

/** The recipient under these rules. The same object if nothing was granted. */
export function withGrants(
  context: RecipientContext,
  granted: Granted,
  client: string,
  { provenAddresses, presets }: GrantRules,
): RecipientContext {
  if (granted === NOTHING_GRANTED && !context.granted) return context;
  const { listed: _, listing: __, listsUntold: ___, granted: ____, ...bare } = context;
  if (granted === NOTHING_GRANTED) return bare;
  const { unprovenListing, shield, isUntold } = granted;
  const listing = provenAddresses || unprovenListing === undefined ? granted.listing : (unprovenListing ?? undefined);
  const listed: GrantedExemption[] = [];
  if (listing?.list === 'allow') listed.push('allowListed');
  if (shield === 'entered') listed.push('ipShield');
  else if (shield && presets.find(client)) listed.push('ipShieldPreset');
  return {
    ...bare,
    ...(listed.length > 0 && { listed }),
    ...(listing && { listing }),
    ...(isUntold && { listsUntold: true as const }),
    granted,
  };
}
