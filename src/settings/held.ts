/**
 * The values that are set, in the memory of the registry: rows of the table with their values, by owner and key. Maps
 * are replaced, never changed; the maps of unchanged owners stay.
 */
import type { SettingOwner } from './contract.ts';
import { type OwnerId, ownerOf } from './owner.ts';
import type { SettingTables } from './schema.ts';

export interface StoredSetting {
  readonly key: string;
  readonly owner: SettingOwner;
  readonly value: unknown;
  /** `unknown`: of another version; `invalid`: counts as not set. */
  readonly state: 'valid' | 'invalid' | 'unknown';
  readonly changedAt: number;
  readonly changedBy: string;
}

export type SettingRow = SettingTables['setting'];

export interface Held {
  readonly row: SettingRow;
  readonly value: unknown;
  readonly state: StoredSetting['state'];
}

/** The values that are set, by owner and key; replaced as a whole. */
export type HeldByOwner = Map<OwnerId, ReadonlyMap<string, Held>>;

/** Keys whose value differs for some owner. */
export function changedKeys(before: HeldByOwner, after: HeldByOwner): readonly string[] {
  const keys = new Set<string>();
  for (const owner of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(owner), after.get(owner)];
    if (was === is) continue;
    for (const key of [...(was?.keys() ?? []), ...(is?.keys() ?? [])])
      if (was?.get(key)?.row.value !== is?.get(key)?.row.value) keys.add(key);
  }
  return [...keys];
}

export function ownerMap<V>(map: Map<OwnerId, Map<string, V>>, owner: OwnerId): Map<string, V> {
  const known = map.get(owner);
  if (known) return known;
  const settings = new Map<string, V>();
  map.set(owner, settings);
  return settings;
}

export function validValues(settings: ReadonlyMap<string, Held>): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [key, { value, state }] of settings) if (state === 'valid') values.set(key, value);
  return values;
}

export function toStored({ row, value, state }: Held): StoredSetting {
  const { key, owner, changed_at: changedAt, changed_by: changedBy } = row;
  return { key, owner: ownerOf(owner), value, state, changedAt, changedBy };
}

export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) frozen(inner);
    Object.freeze(value);
  }
  return value;
}
