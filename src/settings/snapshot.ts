/**
 * A snapshot: the values that are set, as maps that never change. A later snapshot shares the maps of unchanged
 * owners. `get` is called many times a message, so it only looks up.
 */
import type { SettingOwner, SettingsSnapshot } from './contract.ts';
import type { SettingDefinition } from './define.ts';
import { EVERYBODY, type OwnerId } from './owner.ts';

/** Valid values only, by owner, then by key. */
export type ValuesByOwner = ReadonlyMap<OwnerId, ReadonlyMap<string, unknown>>;

const NOTHING: ReadonlyMap<string, unknown> = new Map();

export function createSnapshot(version: number, values: ValuesByOwner): SettingsSnapshot {
  const everybody = values.get(EVERYBODY) ?? NOTHING;
  const hasOverrides = values.size > (values.has(EVERYBODY) ? 1 : 0);

  function override(key: string, owner: SettingOwner): unknown {
    const { account } = owner;
    if (account !== undefined) {
      const value = values.get(account)?.get(key);
      if (value !== undefined) return value;
    }
    const domain = owner.domain ?? (account === undefined ? undefined : account.slice(account.lastIndexOf('@') + 1));
    return domain ? values.get(domain)?.get(key) : undefined;
  }

  return {
    version,
    get<T>(setting: SettingDefinition<T>, owner?: SettingOwner): T {
      const own = hasOverrides && owner !== undefined ? override(setting.key, owner) : undefined;
      const value = own === undefined ? everybody.get(setting.key) : own;
      return value === undefined ? setting.default : (value as T);
    },
    isOverridden({ key }) {
      if (!hasOverrides) return false;
      for (const [owner, own] of values) if (owner !== EVERYBODY && own.has(key)) return true;
      return false;
    },
    hasValues: (domain) => hasOverrides && values.has(domain),
  };
}
