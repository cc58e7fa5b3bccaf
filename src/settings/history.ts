/**
 * The history of settings: who changed which value from what to what, when and why, newest first; and the changes
 * that undo one revision. Bounded (HISTORY_VALUES): the oldest revisions are deleted. Of a secret, only the fact of
 * the change is kept. Errors: OperationalError `settings.missing` (no such revision), `settings.conflict` (a value
 * changed since), `settings.secret`.
 */
import { OperationalError } from '../model/errors.ts';
import { type Page, type PageRequest, pageOf } from '../model/page.ts';
import type { Database, Statement } from '../store/contract.ts';
import { ownerIn } from '../store/of-domains.ts';
import { builder, statement } from '../store/statement.ts';
import type { SettingOwner } from './contract.ts';
import { type ChangeRow, type HistoryTables, historyStatements } from './history-schema.ts';
import { HISTORY_PAGE_ROWS } from './limits.ts';
import { ownerId, ownerOf, ownerText } from './owner.ts';
import type { SettingChange, SettingsRegistry } from './registry.ts';

export interface HistoryEntry {
  readonly revision: number;
  readonly at: number;
  readonly by: string;
  readonly key: string;
  readonly owner: SettingOwner;
  /** Undefined: it was not set, or it is a secret. */
  readonly before?: unknown;
  readonly after?: unknown;
  readonly secret: boolean;
  readonly comment: string;
}

export interface HistoryFilter {
  readonly key?: string;
  readonly owner?: SettingOwner;
  /** Values of these domains and their accounts only. */
  readonly domains?: readonly string[];
}

export interface SettingsHistory {
  list(filter: HistoryFilter, page: PageRequest): Promise<Page<HistoryEntry>>;
  /** The changes that restore the values of a revision. `force`: also values that changed since. */
  undo(
    revision: number,
    options: { readonly force?: boolean; readonly domains?: readonly string[] },
  ): Promise<readonly SettingChange[]>;
}

export function createSettingsHistory(db: Database, settings: Pick<SettingsRegistry, 'stored'>): SettingsHistory {
  const statements = historyStatements(db.dialect);

  async function rowsOf(query: Statement): Promise<readonly ChangeRow[]> {
    const rows = (await db.read(query)) as unknown as ChangeRow[];
    return rows.map((row) => ({ ...row, revision: Number(row.revision), changed_at: Number(row.changed_at) }));
  }

  return {
    async list(filter, { limit = HISTORY_PAGE_ROWS, after }) {
      const most = Math.min(limit, HISTORY_PAGE_ROWS);
      const rows = await rowsOf(pageStatement(db.dialect, filter, most + 1, after));
      const { rows: shown, ...rest } = pageOf(rows, most, cursorOf);
      return { ...rest, rows: shown.map(entry) };
    },
    async undo(revision, { force = false, domains }) {
      const rows = (await rowsOf(statements.ofRevision({ revision }))).filter(
        ({ owner }) => !domains || domains.includes(domainOf(owner)),
      );
      if (rows.length === 0)
        throw new OperationalError(
          'settings.missing',
          `cannot undo revision ${revision}, as it must be one that \`settings history\` lists`,
        );
      const secret = rows.find((row) => Number(row.secret) === 1);
      if (secret)
        throw new OperationalError(
          'settings.secret',
          `cannot undo revision ${revision}, as the earlier value of ${secret.key} must be kept: it is a secret`,
        );
      if (!force) for (const row of rows) mustBeUnchanged(row);
      return rows.map(({ key, owner, before }) => ({
        key,
        owner: ownerOf(owner),
        value: before === null ? undefined : JSON.parse(before),
      }));
    },
  };

  function mustBeUnchanged({ revision, key, owner, after }: ChangeRow): void {
    const now = settings.stored(ownerOf(owner)).find((stored) => stored.key === key);
    if ((now === undefined ? null : JSON.stringify(now.value)) === after) return;
    const since = now ? `${now.changedBy} set it at ${new Date(now.changedAt).toISOString()}` : 'it was reset since';
    throw new OperationalError(
      'settings.conflict',
      `cannot undo revision ${revision}, as ${key}${ownerText(owner)} must still be what it set: ${since}; to insist, say so (--force)`,
    );
  }
}

function entry({ revision, key, owner, before, after, secret, changed_at, changed_by, comment }: ChangeRow) {
  return {
    revision,
    at: changed_at,
    by: changed_by,
    key,
    owner: ownerOf(owner),
    ...(before !== null && { before: JSON.parse(before) as unknown }),
    ...(after !== null && { after: JSON.parse(after) as unknown }),
    secret: Number(secret) === 1,
    comment,
  };
}

function domainOf(owner: string): string {
  return owner.slice(owner.lastIndexOf('@') + 1);
}

function cursorOf({ revision, owner, key }: ChangeRow): string {
  return `${revision}/${owner}/${key}`;
}

function pageStatement(
  dialect: Database['dialect'],
  { key, owner, domains }: HistoryFilter,
  limit: number,
  after: string | undefined,
): Statement {
  let query = builder<HistoryTables>(dialect)
    .selectFrom('setting_change')
    .selectAll()
    .orderBy('revision', 'desc')
    .orderBy('owner')
    .orderBy('key')
    .limit(limit);
  if (key !== undefined) query = query.where('key', '=', key);
  if (owner !== undefined) query = query.where('owner', '=', ownerId(owner));
  if (domains !== undefined) query = query.where(ownerIn('owner', domains));
  const [, revision, ofOwner, ofKey] = /^(\d{1,15})\/([^/]*)\/(.*)$/s.exec(after ?? '') ?? [];
  if (after !== undefined && revision === undefined)
    throw new OperationalError('operation.input', 'cannot list, as after must be what the page before gave as next');
  if (revision !== undefined)
    query = query.where((eb) =>
      eb.or([
        eb('revision', '<', Number(revision)),
        eb.and([
          eb('revision', '=', Number(revision)),
          eb.or([eb('owner', '>', ofOwner!), eb.and([eb('owner', '=', ofOwner!), eb('key', '>', ofKey!)])]),
        ]),
      ]),
    );
  return statement(query);
}
