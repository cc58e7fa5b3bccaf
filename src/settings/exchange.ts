/**
 * Settings as a YAML file: all values that are set, by owner, and nothing else.
 *
 *     global:
 *       smtp.maxRecipients: 500
 *     domains:
 *       example.com:
 *         smtp.maxMessageBytes: 20MiB
 *     accounts:
 *       alice@example.com: {}
 *
 * An import is one change: it happens as a whole or not at all. Errors: OperationalError
 * `settings.file`, and those of the registry.
 */
import { parse, stringify } from 'yaml';
import { OperationalError } from '../model/errors.ts';
import type { SettingOwner } from './contract.ts';
import type { StoredSetting } from './held.ts';
import { IMPORT_BYTES, YAML_ALIASES } from './limits.ts';
import { EVERYBODY, type OwnerId, ownerId, ownerOf, scopeOf } from './owner.ts';
import type { SettingChange, SettingsRegistry } from './registry.ts';
import { parseValue } from './text.ts';

type ByKey = Record<string, unknown>;
interface SettingsFile {
  global?: ByKey;
  domains?: Record<string, ByKey>;
  accounts?: Record<string, ByKey>;
}

export interface SettingDifference {
  readonly key: string;
  readonly owner: SettingOwner;
  /** The value now; undefined: not set for this owner. */
  readonly current: unknown;
  /** The default, or the value in the file. */
  readonly other: unknown;
}

/** Values unknown to this version are exported too: they are kept for a version that knows them. */
export function exportSettings(stored: readonly StoredSetting[]): string {
  const file: Required<SettingsFile> = { global: {}, domains: {}, accounts: {} };
  const sorted = stored.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  for (const { key, owner, value } of sorted) {
    if (owner.account !== undefined) group(file.accounts, owner.account)[key] = value;
    else if (owner.domain !== undefined) group(file.domains, owner.domain)[key] = value;
    else file.global[key] = value;
  }
  const said = Object.entries(file).filter(([, values]) => Object.keys(values).length > 0);
  return stringify(Object.fromEntries(said));
}

/** `replace`: values that are set and not in the file are reset. */
export function importChanges(
  text: string,
  stored: readonly StoredSetting[],
  options: { readonly replace: boolean },
): readonly SettingChange[] {
  const changes = readChanges(text);
  if (!options.replace) return changes;
  const named = new Set(changes.map(place));
  const resets = stored.filter((setting) => !named.has(place(setting)));
  return [...changes, ...resets.map(({ key, owner }) => ({ key, owner, value: undefined }))];
}

export function differencesToDefaults(settings: SettingsRegistry): readonly SettingDifference[] {
  const all = settings.stored().map(({ key, owner, value, state }) => {
    const other = state === 'unknown' ? undefined : settings.definition(key).default;
    return { key, owner, current: value, other };
  });
  const differ = new Set(all.filter(({ current, other }) => !isSame(current, other)).map(({ key }) => key));
  // A domain that is back at the default, below another value of the node, is a difference worth showing.
  return all.filter(({ key }) => differ.has(key));
}

/** What an import of the file with `replace` would change. */
export function differencesToFile(settings: SettingsRegistry, text: string): readonly SettingDifference[] {
  const stored = new Map(settings.stored().map((setting) => [place(setting), setting.value]));
  return importChanges(text, settings.stored(), { replace: true })
    .map((change) => {
      const known = settings.definitions.find(({ key }) => key === change.key);
      const other = known && typeof change.value === 'string' ? parseValue(known, change.value) : change.value;
      return { key: change.key, owner: change.owner ?? {}, current: stored.get(place(change)), other };
    })
    .filter(({ current, other }) => !isSame(current, other));
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function readChanges(text: string): readonly SettingChange[] {
  const file = parsed(text);
  const changes: SettingChange[] = [];
  const add = (owner: OwnerId, values: unknown): void => {
    for (const [key, value] of Object.entries(table(values, owner || 'global')))
      changes.push({ key, owner: ownerOf(owner), value: value ?? undefined });
  };
  for (const [section, content] of Object.entries(file)) {
    if (section === 'global') add(EVERYBODY, content);
    else if (section === 'domains' || section === 'accounts')
      for (const [name, values] of Object.entries(table(content, section))) {
        const owner = ownerId(section === 'domains' ? { domain: name } : { account: name });
        add(owner, values);
      }
    else throw wrong(`${section} must be one of global, domains, accounts`);
  }
  return changes;
}

function parsed(text: string): object {
  if (Buffer.byteLength(text) > IMPORT_BYTES) throw wrong(`it must have at most ${IMPORT_BYTES} bytes`);
  try {
    return table(parse(text, { maxAliasCount: YAML_ALIASES }) ?? {}, 'it');
  } catch (error) {
    if (error instanceof OperationalError) throw error;
    throw wrong(`it must be YAML: ${(error as Error).message.split('\n')[0]}`);
  }
}

function table(value: unknown, name: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw wrong(`${name} must be a table of settings`);
}

function group(owners: Record<string, ByKey>, name: string): ByKey {
  owners[name] ??= {};
  return owners[name];
}

function place({ key, owner = {} }: { readonly key: string; readonly owner?: SettingOwner }): string {
  const id = ownerId(owner);
  return `${scopeOf(id)} ${id} ${key}`;
}

function wrong(must: string): OperationalError {
  return new OperationalError('settings.file', `cannot read the settings file, as ${must}`);
}
