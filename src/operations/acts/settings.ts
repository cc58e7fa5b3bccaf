/** Settings: lists, changes, comparisons, import and export. */
import { Type } from 'typebox';
import { OperationalError } from '../../model/errors.ts';
import type { SettingOwner } from '../../settings/contract.ts';
import {
  differencesToDefaults,
  differencesToFile,
  exportSettings,
  importChanges,
  type SettingDifference,
} from '../../settings/exchange.ts';
import type { HistoryEntry } from '../../settings/history.ts';
import { COMMENT_CHARACTERS, HISTORY_PAGE_ROWS, IMPORT_BYTES } from '../../settings/limits.ts';
import { ownerId, ownerOf } from '../../settings/owner.ts';
import type { AnySetting, SettingChange } from '../../settings/registry.ts';
import { formatValue } from '../../settings/text.ts';
import { description } from '../../settings/validate.ts';
import { Answer, PageAnswer, Strings } from '../answers.ts';
import { act, look } from '../define.ts';
import type { OperationServices } from '../services.ts';
import { ELSEWHERE, Lines } from '../unsafe-text.ts';
import { versionOf } from '../versions.ts';
import { Domains, Force, ownerDomain, Text } from './types.ts';

const Owner = { domain: Type.Optional(Text), account: Type.Optional(Text) };
/** Its reader bounds it in bytes, with an error message. */
const File = Lines(IMPORT_BYTES);
const Comment = Type.Optional(Type.String({ maxLength: COMMENT_CHARACTERS }));
const HistoryLimit = Type.Optional(Type.Integer({ minimum: 1, maximum: HISTORY_PAGE_ROWS }));

export interface ShownSetting {
  readonly key: string;
  readonly value: unknown;
  /** In the form in which it may be typed. */
  readonly text: string;
  readonly default: unknown;
  readonly must: string;
  readonly scope: string;
  readonly manual: string;
  /** Set for this owner itself, not inherited. */
  readonly set: boolean;
  /** The owner of the value: the account, its domain, the node, or none. */
  readonly from: 'account' | 'domain' | 'node' | 'default';
  readonly state: 'valid' | 'invalid' | 'unknown';
  /** The version of the value of this owner itself. */
  readonly version: string;
}

const OwnerAnswer = Answer({ domain: Type.Optional(Type.String()), account: Type.Optional(Type.String()) });
const SettingAnswer = Answer({
  key: Type.String(),
  value: Type.Optional(Type.Unknown()),
  text: Type.String(),
  default: Type.Optional(Type.Unknown()),
  must: Type.String(),
  scope: Type.String(),
  manual: Type.String(),
  set: Type.Boolean(),
  from: Type.Enum(['account', 'domain', 'node', 'default']),
  state: Type.Enum(['valid', 'invalid', 'unknown']),
  version: Type.String(),
});
const EntryAnswer = Answer({
  revision: Type.Integer(),
  time: Type.String(),
  by: Type.String(),
  key: Type.String(),
  owner: OwnerAnswer,
  before: Type.Optional(Type.Unknown()),
  after: Type.Optional(Type.Unknown()),
  beforeText: Type.Optional(Type.String()),
  afterText: Type.Optional(Type.String()),
  secret: Type.Boolean(),
  comment: Type.String(),
});

/** Without an owner: the whole node. */
const OF_OWNERS = {
  named: ({ domain, account }: SettingOwner) => {
    const named = [account, domain].filter((owner) => owner !== undefined).map(ownerDomain);
    return named.length > 0 ? named : [undefined];
  },
};

export const settingsOperations = {
  'settings.list': look('settings.list', {
    area: 'settings',
    reach: OF_OWNERS,
    title: 'Lists settings and what counts for the whole node, a domain or an account',
    input: { ...Owner, prefix: Type.Optional(Text), changed: Type.Optional(Type.Boolean()) },
    answer: Type.Array(SettingAnswer),
    run: async (services, { prefix = '', changed = false, ...said }) => {
      const owner = await knownOwner(services, said);
      const { definitions } = services.settings;
      const known = definitions.map((setting) => show(services, setting, owner));
      const all = [...known, ...unknown(services, owner)];
      return {
        output: all.filter((setting) => setting.key.startsWith(prefix) && (setting.set || !changed)).sort(byKey),
      };
    },
  }),

  'settings.get': look('settings.get', {
    area: 'settings',
    reach: OF_OWNERS,
    title: 'Shows one setting',
    input: { ...Owner, key: Text },
    answer: SettingAnswer,
    run: async (services, { key, ...said }) => {
      const owner = await knownOwner(services, said);
      return { output: show(services, services.settings.definition(key), owner) };
    },
  }),

  'settings.set': act('settings.set', {
    area: 'settings',
    version: {
      of: async ({ settings }, { key, ...said }) => versionOfSetting(settings, key, ownerOf(ownerId(said))),
      unchanged: async ({ settings }, { key, ...said }) => settings.unchanged(key, ownerOf(ownerId(said))),
    },
    reach: OF_OWNERS,
    title: 'Sets one setting, for the whole node, a domain or an account',
    input: { ...Owner, key: Text, value: Type.Unknown(ELSEWHERE), force: Force, comment: Comment },
    answer: Answer({ key: Type.String() }),
    run: async (services, { key, value, force, comment, ...said }, actor) => {
      const owner = await knownOwner(services, said);
      const change = services.settings.prepare([{ key, owner, value }], actor.name, { force, comment });
      return { output: { key }, change };
    },
  }),

  'settings.reset': act('settings.reset', {
    area: 'settings',
    reach: OF_OWNERS,
    title: 'Brings settings back to what is inherited, or to their defaults',
    input: { ...Owner, keys: Type.Array(Text, { minItems: 1, maxItems: 1000 }), comment: Comment },
    answer: Answer({ keys: Strings }),
    run: async (services, { keys, comment, ...said }, actor) => {
      const owner = await knownOwner(services, said);
      const changes = keys.map((key) => ({ key, owner, value: undefined }));
      return { output: { keys }, change: services.settings.prepare(changes, actor.name, { comment }) };
    },
  }),

  'settings.diff': look('settings.diff', {
    area: 'settings',
    reach: 'node',
    title: 'Shows what differs from the defaults, or from a file',
    input: { file: Type.Optional(File) },
    answer: Type.Array(
      Answer({
        key: Type.String(),
        owner: OwnerAnswer,
        current: Type.Optional(Type.Unknown()),
        other: Type.Optional(Type.Unknown()),
        currentText: Type.Optional(Type.String()),
        otherText: Type.Optional(Type.String()),
      }),
    ),
    run: async ({ settings }, { file }) => {
      const found = file === undefined ? differencesToDefaults(settings) : differencesToFile(settings, file);
      return { output: found.map((difference) => shownDifference(settings.definitions, difference)) };
    },
  }),

  'settings.export': look('settings.export', {
    area: 'settings',
    reach: 'node',
    title: 'Writes all that was set as YAML',
    input: {},
    answer: Answer({ yaml: Type.String() }),
    run: async ({ settings }) => ({ output: { yaml: exportSettings(settings.stored()) } }),
  }),

  'settings.import': act('settings.import', {
    area: 'settings',
    long: true,
    reach: 'node',
    title: 'Takes a YAML file as one change; `replace` resets what is not in it',
    input: { file: File, replace: Type.Optional(Type.Boolean()), force: Force, comment: Comment },
    answer: Answer({ changed: Type.Integer() }),
    run: async (services, { file, replace = false, force, comment }, actor) => {
      const changes = importChanges(file, services.settings.stored(), { replace });
      await ownersMustExist(services, changes);
      const change = services.settings.prepare(changes, actor.name, { force, comment });
      return { output: { changed: changes.length }, change };
    },
  }),

  'settings.history': look('settings.history', {
    area: 'settings',
    reach: { narrowed: true },
    title: 'Lists who changed which setting from what to what, newest first',
    input: { ...Owner, key: Type.Optional(Text), domains: Domains, limit: HistoryLimit, after: Type.Optional(Text) },
    answer: PageAnswer(EntryAnswer),
    run: async ({ settings, settingsHistory }, { domain, account, key, domains, limit, after }) => {
      // Also for owners and keys that no longer exist.
      const owner = domain === undefined && account === undefined ? undefined : ownerOf(ownerId({ domain, account }));
      const { rows, ...rest } = await settingsHistory.list({ key, owner, domains }, { limit, after });
      return { output: { ...rest, rows: rows.map((row) => shownEntry(settings.definitions, row)) } };
    },
  }),

  'settings.undo': act('settings.undo', {
    area: 'settings',
    reach: { narrowed: true },
    title: 'Brings back what settings were before a revision, unless they changed since',
    input: { revision: Type.Integer({ minimum: 1 }), domains: Domains, force: Force, comment: Comment },
    answer: Answer({ revision: Type.Integer(), keys: Strings }),
    run: async (services, { revision, domains, force, comment = `undoes revision ${revision}` }, actor) => {
      const changes = await services.settingsHistory.undo(revision, { force, domains });
      await ownersMustExist(services, changes);
      const change = services.settings.prepare(changes, actor.name, { force, comment });
      return { output: { revision, keys: changes.map(({ key }) => key) }, change };
    },
  }),
};

function shownEntry(definitions: readonly AnySetting[], { at, ...entry }: HistoryEntry) {
  const known = definitions.find(({ key }) => key === entry.key);
  const text = (value: unknown): string => (known ? formatValue(known, value) : JSON.stringify(value));
  const { before, after } = entry;
  return {
    ...entry,
    time: new Date(at).toISOString(),
    ...(before !== undefined && { beforeText: text(before) }),
    ...(after !== undefined && { afterText: text(after) }),
  };
}

interface ShownDifference extends SettingDifference {
  /** In the form in which they may be typed; absent: not set. */
  readonly currentText?: string;
  readonly otherText?: string;
}

function shownDifference(definitions: readonly AnySetting[], difference: SettingDifference): ShownDifference {
  const known = definitions.find(({ key }) => key === difference.key);
  const text = (value: unknown): string => (known ? formatValue(known, value) : JSON.stringify(value));
  const { current, other } = difference;
  return {
    ...difference,
    ...(current !== undefined && { currentText: text(current) }),
    ...(other !== undefined && { otherText: text(other) }),
  };
}

/** An existing domain or account: a setting for any other would be a typing error. */
async function knownOwner(services: OperationServices, said: SettingOwner): Promise<SettingOwner> {
  const owner = ownerOf(ownerId(said));
  const { account } = owner;
  if (account !== undefined && said.domain !== undefined && !account.endsWith(`@${ownerId({ domain: said.domain })}`))
    throw new OperationalError(
      'settings.owner',
      `cannot find settings of ${account}, as it must be an account of the domain that is named: current value is ${said.domain}`,
    );
  const domain = owner.domain ?? account?.slice(account.lastIndexOf('@') + 1);
  if (domain !== undefined && !(await services.directory.domain(domain)))
    throw new OperationalError('directory.missing', `cannot find settings of ${domain}, as it must be a local domain`);
  if (account !== undefined && !(await services.admin.hasAccount(account)))
    throw new OperationalError('directory.missing', `cannot find settings of ${account}, as it must be an account`);
  return owner;
}

async function ownersMustExist(services: OperationServices, changes: readonly SettingChange[]): Promise<void> {
  const owners = new Set(changes.filter(({ value }) => value !== undefined).map(({ owner }) => ownerId(owner)));
  for (const owner of owners) await knownOwner(services, ownerOf(owner));
}

function show(services: OperationServices, setting: AnySetting, owner: SettingOwner): ShownSetting {
  const { settings } = services;
  const value: unknown = settings.current().get(setting, owner);
  const stored = settings.stored(owner).find(({ key }) => key === setting.key);
  return {
    key: setting.key,
    value,
    text: formatValue(setting, value),
    default: setting.default,
    must: `must be ${description(setting)}`,
    scope: setting.scope,
    manual: setting.manual,
    set: stored !== undefined,
    from: originOf(services, setting, owner),
    state: stored?.state ?? 'valid',
    version: versionOfSetting(settings, setting.key, owner),
  };
}

/** The time of the change is part of it: a value that was restored is another version. */
function versionOfSetting(settings: OperationServices['settings'], key: string, owner: SettingOwner): string {
  const stored = settings.stored(owner).find((one) => one.key === key);
  return versionOf(stored ? { value: stored.value, at: stored.changedAt, by: stored.changedBy } : null);
}

function originOf(
  { settings }: OperationServices,
  setting: AnySetting,
  { domain, account }: SettingOwner,
): ShownSetting['from'] {
  const isSet = (owner: SettingOwner): boolean =>
    settings.stored(owner).some(({ key, state }) => key === setting.key && state === 'valid');
  if (account !== undefined && isSet({ account })) return 'account';
  const above = domain ?? account?.slice(account.lastIndexOf('@') + 1);
  if (above !== undefined && isSet({ domain: above })) return 'domain';
  return isSet({}) ? 'node' : 'default';
}

function unknown({ settings }: OperationServices, owner: SettingOwner): readonly ShownSetting[] {
  return settings
    .stored(owner)
    .filter(({ state }) => state === 'unknown')
    .map(({ key, value }) => ({
      key,
      value,
      version: versionOfSetting(settings, key, owner),
      text: JSON.stringify(value),
      default: undefined,
      must: 'is not known to this version',
      scope: 'global',
      manual: '',
      set: true,
      from: owner.account !== undefined ? 'account' : owner.domain !== undefined ? 'domain' : 'node',
      state: 'unknown',
    }));
}

function byKey(a: ShownSetting, b: ShownSetting): number {
  return a.key < b.key ? -1 : 1;
}
