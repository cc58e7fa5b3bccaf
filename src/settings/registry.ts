/**
 * The registry: every setting that exists, the values that are set, and how they change.
 *
 * A change is a list of values, checked as a whole, written as one unit, and visible as one new snapshot: never half
 * of it, neither on disk nor in memory. What another writer changes in the table, another node for example, is seen
 * as soon as the change bus publishes it. A stored value that no longer validates counts as not set and is reported by
 * an event; a stored key that this version does not know (of a newer version) is kept and shown. A valid value that
 * is probably a mistake is taken only with `force`; values that are set already are not questioned. Errors:
 * OperationalError `settings.unknown`, `settings.invalid`, `settings.doubtful`, `settings.owner`, with a sentence for
 * each wrong value.
 */
import { OperationalError } from '../model/errors.ts';
import { readAgain } from '../store/changes.ts';
import type { Database, PreparedChange, Row, Statement } from '../store/contract.ts';
import { asItWas, stillAbsent } from '../store/unchanged.ts';
import type { Clock } from '../world/clock.ts';
import type { Events } from '../world/events.ts';
import { didYouMean } from '../world/nearest.ts';
import type { SettingOwner, Settings, SettingsSnapshot } from './contract.ts';
import type { Scope, SettingDefinition } from './define.ts';
import {
  changedKeys,
  frozen,
  type Held,
  type HeldByOwner,
  ownerMap,
  type SettingRow,
  type StoredSetting,
  toStored,
  validValues,
} from './held.ts';
import { historyStatements } from './history-schema.ts';
import { CHANGES_AT_ONCE, COMMENT_CHARACTERS } from './limits.ts';
import { EVERYBODY, type OwnerId, ownerId, ownerText, scopeOf } from './owner.ts';
import { settingStatements } from './schema.ts';
import { createSnapshot, type ValuesByOwner } from './snapshot.ts';
import { parseValue } from './text.ts';
import { quoted, refusal } from './validate.ts';

// biome-ignore lint/suspicious/noExplicitAny: settings of all types are in one list.
export type AnySetting = SettingDefinition<any>;

export interface SettingChange {
  readonly key: string;
  readonly owner?: SettingOwner;
  /** Undefined: reset to the inherited value. Text is read as by `parseValue` unless the setting is text. */
  readonly value: unknown;
}

export interface ChangeOptions {
  /** Takes values that are probably mistakes. */
  readonly force?: boolean;
  /** The reason, for the history. */
  readonly comment?: string;
}

export interface SettingsRegistry extends Settings {
  readonly definitions: readonly AnySetting[];
  /** Errors: `settings.unknown`, with the nearest key. */
  definition(key: string): AnySetting;
  /** All that was set, the whole node's first, then the domains', then the accounts'; or what was set for one owner. */
  stored(owner?: SettingOwner): readonly StoredSetting[];
  /** Checks the whole change; nothing changes before the statements are written and `committed` is called. */
  prepare(changes: readonly SettingChange[], by: string, options?: ChangeOptions): PreparedChange;
  /** All values as they would be with these changes, checked as `prepare` does; nothing is changed. */
  preview(changes: readonly SettingChange[], options?: ChangeOptions): ValuesByOwner;
  /** Removes all values of owners that are being deleted. */
  prepareForget(owners: readonly SettingOwner[], by: string): PreparedChange;
  /** What fails with `store.expectation` once another value is set for this owner, or it is set anew. */
  unchanged(key: string, owner?: SettingOwner): readonly Statement[];
  change(changes: readonly SettingChange[], by: string, options?: ChangeOptions): Promise<void>;
}

/** What a change makes of a value; without a new one it is removed. */
type ChangedRow = SettingRow | { readonly owner: OwnerId; readonly key: string };

const SCOPE_WIDTH: Record<Scope, number> = { global: 0, domain: 1, account: 2 };

export async function createSettings(
  db: Database,
  definitions: readonly AnySetting[],
  services: { readonly clock: Clock; readonly events: Events },
): Promise<SettingsRegistry> {
  const { clock, events } = services;
  const byKey = indexByKey(definitions);
  const statements = settingStatements(db.dialect);
  const past = historyStatements(db.dialect);
  const listeners = new Set<(snapshot: SettingsSnapshot, keys: readonly string[]) => void>();
  let held: HeldByOwner = new Map();
  /** The table has changed and could not be read since, or not at once. */
  let isBehind = false;
  let valid: ValuesByOwner = new Map();
  let snapshot = createSnapshot(0, valid);

  function definition(key: string): AnySetting {
    const setting = byKey.get(key);
    if (setting) return setting;
    const hint = didYouMean(key, byKey.keys());
    throw new OperationalError('settings.unknown', `cannot find ${key}, as it must be a setting that exists${hint}`);
  }

  function hold(row: SettingRow): Held {
    const known = held.get(row.owner)?.get(row.key);
    if (known && isSameRow(known.row, row)) return known;
    const setting = byKey.get(row.key);
    const value = frozen(JSON.parse(row.value));
    if (!setting) return { row, value, state: 'unknown' };
    const must = refusal(setting, value) ?? wrongScope(setting, row.owner);
    if (must === undefined) return { row, value, state: 'valid' };
    events.emit('settings.invalid', { key: row.key, owner: row.owner, value: quoted(value), must });
    return { row, value, state: 'invalid' };
  }

  /** One step from state to state, taken after the disk. */
  function become(next: HeldByOwner, keys: readonly string[]): void {
    const values = new Map<OwnerId, ReadonlyMap<string, unknown>>();
    for (const [owner, settings] of next) {
      const shared = settings === held.get(owner) ? valid.get(owner) : undefined;
      values.set(owner, shared ?? validValues(settings));
    }
    [held, valid] = [next, values];
    snapshot = createSnapshot(snapshot.version + 1, valid);
    for (const listener of listeners) listener(snapshot, keys);
  }

  /** Takes over what the table has: of all owners, or of the one that changes are about. */
  function follow(rows: readonly SettingRow[], owner?: OwnerId): void {
    const read = new Map<OwnerId, Map<string, Held>>();
    for (const row of rows)
      ownerMap(read, row.owner).set(row.key, hold({ ...row, changed_at: Number(row.changed_at) }));
    const next: HeldByOwner = owner === undefined ? read : new Map([...held, ...read]);
    if (owner !== undefined && !read.has(owner)) next.delete(owner);
    const keys = changedKeys(held, next);
    if (keys.length > 0) become(next, keys);
    else held = next;
  }

  /** A value that is set already, as in the import of an export, needs no `force` again. */
  function mustBeMeant(setting: AnySetting, owner: OwnerId, value: unknown): void {
    const must = setting.doubt?.(value);
    if (must === undefined || held.get(owner)?.get(setting.key)?.row.value === JSON.stringify(value)) return;
    throw new OperationalError(
      'settings.doubtful',
      `cannot set ${setting.key}${ownerText(owner)}, as it ${must}: current value is ${quoted(value)}; to insist, say so (--force)`,
    );
  }

  function checkedRow(change: SettingChange, at: number, by: string, { force }: ChangeOptions): ChangedRow {
    const owner = ownerId(change.owner);
    // An unknown key may be removed, not set.
    if (change.value === undefined && held.get(owner)?.has(change.key)) return { owner, key: change.key };
    const setting = definition(change.key);
    if (change.value === undefined) return { owner, key: change.key };
    const value = typeof change.value === 'string' ? parseValue(setting, change.value) : change.value;
    const must = wrongScope(setting, owner) ?? refusal(setting, value);
    if (must !== undefined)
      throw new OperationalError(
        'settings.invalid',
        `cannot set ${change.key}${ownerText(owner)}, as it ${must}: current value is ${quoted(value)}`,
      );
    if (!force) mustBeMeant(setting, owner, value);
    return {
      scope: scopeOf(owner),
      owner,
      key: change.key,
      value: JSON.stringify(value),
      changed_at: at,
      changed_by: by,
    };
  }

  /** The new maps of the owners that these rows concern. */
  function touchedBy(rows: readonly (SettingRow | { owner: OwnerId; key: string })[]): HeldByOwner {
    const touched = new Map<OwnerId, Map<string, Held>>();
    for (const row of rows) {
      if (!touched.has(row.owner)) touched.set(row.owner, new Map(held.get(row.owner)));
      const settings = touched.get(row.owner)!;
      if ('value' in row) settings.set(row.key, hold(row));
      else settings.delete(row.key);
    }
    return touched;
  }

  function preview(changes: readonly SettingChange[], options: ChangeOptions = {}): ValuesByOwner {
    const rows = allOrProblems(changes, (change) => checkedRow(change, clock.now(), '', options));
    const touched = [...touchedBy(rows)].map(([owner, settings]) => [owner, validValues(settings)] as const);
    return new Map([...valid, ...touched]);
  }

  function prepare(changes: readonly SettingChange[], by: string, options: ChangeOptions = {}): PreparedChange {
    if (changes.length > CHANGES_AT_ONCE)
      throw new OperationalError(
        'settings.invalid',
        `cannot change settings, as one change must be at most ${CHANGES_AT_ONCE} values: current value is ${changes.length}`,
      );
    const at = clock.now();
    const rows = allOrProblems(changes, (change) => checkedRow(change, at, by, options));
    const values = rows.map((row): Statement => ('value' in row ? statements.put(row) : statements.remove(row)));
    return {
      statements: [...recorded(rows, at, by, options.comment), ...values],
      committed() {
        const touched = touchedBy(rows);
        tell(
          new Map([...held, ...touched]),
          rows.map((row) => row.key),
          [...touched.keys()],
          by,
        );
      },
    };
  }

  /** The history of a change, written before the change itself; a value that stays the same leaves no row. */
  function recorded(rows: readonly ChangedRow[], at: number, by: string, comment = ''): readonly Statement[] {
    const differ = lastOfEach(rows).filter((row) => held.get(row.owner)?.get(row.key)?.row.value !== newValue(row));
    if (differ.length === 0) return [];
    const common = { changed_at: at, changed_by: by, comment: comment.slice(0, COMMENT_CHARACTERS) };
    const records = differ.map((row) => {
      const { owner, key } = row;
      return byKey.get(key)?.secret
        ? past.recordSecret({ owner, key, ...common })
        : past.record({ owner, key, after: newValue(row) ?? null, secret: 0, ...common });
    });
    return [past.begin({}), ...records, past.trim({})];
  }

  function prepareForget(owners: readonly SettingOwner[], by: string): PreparedChange {
    const ids = owners.map((owner) => ownerId(owner)).filter((id) => id !== EVERYBODY && held.has(id));
    const gone = ids.flatMap((owner) => [...(held.get(owner)?.keys() ?? [])].map((key) => ({ owner, key })));
    return {
      statements: [
        ...recorded(gone, clock.now(), by, 'removed with its owner'),
        ...ids.map((owner) => statements.forget({ owner })),
      ],
      committed() {
        if (ids.length === 0) return;
        const next: HeldByOwner = new Map(held);
        for (const id of ids) next.delete(id);
        tell(
          next,
          gone.map(({ key }) => key),
          ids,
          by,
        );
      },
    };
  }

  /** `next`: for where the table could not be read as it was written, which else says it better: others wrote too. */
  function tell(next: HeldByOwner, keys: readonly string[], owners: readonly OwnerId[], by: string): void {
    const distinct = [...new Set(keys)];
    if (isBehind) become(next, distinct);
    events.emit('settings.changed', { keys: distinct, owners: owners.map((owner) => owner || 'global'), by });
  }

  const taking = (owner?: OwnerId) => (rows: readonly Row[]) => {
    isBehind = false;
    follow(rows as unknown as readonly SettingRow[], owner);
  };
  const all = statements.all({});
  taking()(await db.read(all));
  db.changes.subscribe(['setting'], () => {
    isBehind = true;
  });
  readAgain(db, ['setting'], { statement: all, take: taking() }, (owner) => ({
    statement: statements.ofOwner({ owner }),
    take: taking(owner as OwnerId),
  }));
  return {
    definitions,
    definition,
    prepare,
    preview,
    prepareForget,
    current: () => snapshot,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stored(owner) {
      const of = owner === undefined ? inOrder(held) : [held.get(ownerId(owner)) ?? new Map<string, Held>()];
      return of.flatMap((settings) => [...settings.values()].map(toStored));
    },
    unchanged(key, said) {
      const owner = ownerId(said);
      const known = held.get(owner)?.get(key);
      if (known) return [asItWas(db.dialect, 'setting', { owner, key }, { ...known.row })];
      const row = { scope: scopeOf(owner), value: 'null', changed_at: 0, changed_by: '' };
      return stillAbsent(db.dialect, 'setting', { owner, key }, row);
    },
    async change(changes, by, options) {
      const prepared = prepare(changes, by, options);
      if (prepared.statements.length > 0) await db.write(prepared.statements);
      prepared.committed();
    },
  };
}

function inOrder(held: HeldByOwner): readonly ReadonlyMap<string, Held>[] {
  const place = (owner: OwnerId): string => `${SCOPE_WIDTH[scopeOf(owner)]}${owner}`;
  return [...held].toSorted(([a], [b]) => (place(a) < place(b) ? -1 : 1)).map(([, settings]) => settings);
}

function indexByKey(definitions: readonly AnySetting[]): ReadonlyMap<string, AnySetting> {
  const byKey = new Map<string, AnySetting>();
  for (const setting of definitions) {
    if (byKey.has(setting.key)) throw new Error(`invariant broken: ${setting.key} is defined twice`);
    const must = refusal(setting, setting.default);
    if (must) throw new Error(`invariant broken: the default of ${setting.key} ${must}`);
    byKey.set(setting.key, setting);
  }
  return byKey;
}

function wrongScope(setting: AnySetting, owner: OwnerId): string | undefined {
  const scope = scopeOf(owner);
  return SCOPE_WIDTH[scope] > SCOPE_WIDTH[setting.scope]
    ? `must be set for ${setting.scope === 'global' ? 'the whole node' : 'a domain or the whole node'}, not for ${owner}`
    : undefined;
}

function newValue(row: ChangedRow): string | undefined {
  return 'value' in row ? row.value : undefined;
}

/** An import may name a value twice; the last one counts. */
function lastOfEach(rows: readonly ChangedRow[]): readonly ChangedRow[] {
  return [...new Map(rows.map((row) => [`${row.owner}/${row.key}`, row])).values()];
}

/** All problems together, a sentence a line. */
function allOrProblems<A, B>(items: readonly A[], check: (item: A) => B): readonly B[] {
  const problems: OperationalError[] = [];
  const results: B[] = [];
  for (const item of items) {
    try {
      results.push(check(item));
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      problems.push(error);
    }
  }
  if (problems.length === 0) return results;
  throw new OperationalError(problems[0]!.code, problems.map((problem) => problem.message).join('\n'));
}

function isSameRow(one: SettingRow, other: SettingRow): boolean {
  return one.value === other.value && one.changed_at === other.changed_at && one.changed_by === other.changed_by;
}
