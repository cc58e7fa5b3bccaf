/**
 * Settings as the rooms read them: immutable snapshots with inheritance.
 *
 * A snapshot never changes; a change of a setting makes a new one, whole or not at all. Work that must see one state
 * throughout (a message, a delivery) takes one snapshot and keeps it.
 */
import type { SettingDefinition } from './define.ts';

/** The owner of the value: the account's value, else its domain's, else the global one, else the default. */
export interface SettingOwner {
  readonly domain?: string;
  readonly account?: string;
}

export interface SettingsSnapshot {
  readonly version: number;
  get<T>(setting: SettingDefinition<T>, owner?: SettingOwner): T;
  /** Whether any domain or account has a value of its own. Absent: not known. */
  isOverridden?(setting: SettingDefinition<unknown>): boolean;
  /** Whether that domain has any value of its own. Absent: not known. */
  hasValues?(domain: string): boolean;
}

export interface Settings {
  current(): SettingsSnapshot;
  /** Called after each change, with the new snapshot and the keys that changed. */
  onChange(listener: (snapshot: SettingsSnapshot, keys: readonly string[]) => void): () => void;
}
