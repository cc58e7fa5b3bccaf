/**
 * IP shielding of a sender's domain and a client, in two steps: pairs are data and are looked up when the sender is
 * observed; presets are a setting, so they are applied when evidence is judged.
 */
import type { ShieldVerdict } from '../../directory/rules/shields.ts';
import { type NetworkTable, networksOf } from '../../protocol/network/table.ts';

/** The verdict of pairs alone. */
export type PairVerdict = Exclude<ShieldVerdict, 'preset'>;

export type Shielding = {
  readonly pairs: PairVerdict;
  /** The domain is local and the client's address its own, so the presets apply, too. */
  readonly presets: boolean;
};

const of = (pairs: PairVerdict, presets: boolean): Shielding => Object.freeze({ pairs, presets });
const WITHOUT_PRESETS = { none: of('none', false), entered: of('entered', false), violated: of('violated', false) };
const WITH_PRESETS = { none: of('none', true), entered: of('entered', true), violated: of('violated', true) };

export const NOT_SHIELDED = WITHOUT_PRESETS.none;

export function shieldingOf(pairs: PairVerdict, presets: boolean): Shielding {
  return (presets ? WITH_PRESETS : WITHOUT_PRESETS)[pairs];
}

export function verdictUnder(
  { pairs, presets }: Shielding,
  client: string,
  networks: NetworkTable<true>,
): ShieldVerdict {
  if (pairs === 'entered' || !presets || networks.size === 0) return pairs;
  return networks.find(client) ? 'preset' : 'violated';
}

const tables = new WeakMap<readonly string[], NetworkTable<true>>();

/** Cached for each value of the setting. */
export function presetNetworks(presets: readonly string[]): NetworkTable<true> {
  let table = tables.get(presets);
  if (!table) {
    table = networksOf(presets);
    tables.set(presets, table);
  }
  return table;
}
