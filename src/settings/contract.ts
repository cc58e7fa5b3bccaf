/**
 * Settings as the rooms read them: immutable snapshots with inheritance.
 *
 * A snapshot never changes; a change of a setting makes a new one, whole or not at all. Work that
 * must not see two states (a message, a delivery) takes one snapshot and keeps it.
 */
import type { SettingDefinition } from './define.ts';

/** Whose value is asked for: the account's, else its domain's, else the global one, else the default. */
export interface SettingOwner {
  readonly domain?: string;
  readonly account?: string;
}

export interface SettingsSnapshot {
  readonly version: number;
  get<T>(setting: SettingDefinition<T>, owner?: SettingOwner): T;
  /** Whether some domain or account has a value of its own. Absent: nobody knows. */
  isOverridden?(setting: SettingDefinition<unknown>): boolean;
  /** Whether that domain has any value of its own. Absent: nobody knows. */
  hasValues?(domain: string): boolean;
}

export interface Settings {
  current(): SettingsSnapshot;
  /** Called after each change, with the new snapshot and the keys that changed. */
  onChange(listener: (snapshot: SettingsSnapshot, keys: readonly string[]) => void): () => void;
}
