/** Allow and block lists: the node's, a domain's, or an account's own. */
import { Type } from 'typebox';
import type { EntryPage } from '../../directory/rules/admin.ts';
import { IMPORT_BYTES, LIST_ENTRIES } from '../../directory/rules/limits.ts';
import type { ListEntryRow } from '../../directory/rules/schema.ts';
import { OperationalError } from '../../model/errors.ts';
import { pageOf } from '../../model/page.ts';
import { Answer, PageAnswer } from '../answers.ts';
import { act, look } from '../define.ts';
import { pageRowsOf } from '../reach.ts';
import { Lines } from '../unsafe-text.ts';
import { Domains, Force, ownerDomain, PAGE, Text } from './types.ts';

const List = Type.Enum(['allow', 'block']);
const Kind = Type.Enum(['address', 'host', 'ip']);
const DEFAULT_ROWS = 100;

const ENTRY = {
  list: List,
  kind: Kind,
  owner: Type.String(),
  value: Type.String(),
  comment: Type.String(),
  expires: Type.Optional(Type.String()),
  coversLocal: Type.Boolean(),
  createdAt: Type.Number(),
};

const OF_OWNER = { named: ({ owner }: { readonly owner?: string }) => [ownerDomain(owner)] };

function shown({ list, kind, owner, value, comment, expires_at, covers_local, created_at }: ListEntryRow) {
  const expires = expires_at === null ? {} : { expires: new Date(Number(expires_at)).toISOString() };
  return {
    list,
    kind,
    owner,
    value,
    comment,
    ...expires,
    /** Anyone who forges that address passes: a risk that an administrator forced. */
    coversLocal: covers_local !== 0,
    createdAt: Number(created_at),
  };
}

/** An entry has no number: the next page begins after its key. */
function keyOf({ list, owner, kind, value }: Pick<ListEntryRow, 'list' | 'owner' | 'kind' | 'value'>): string {
  return JSON.stringify([list, owner, kind, value]);
}

function readKey(text: string | undefined): EntryPage['after'] {
  if (text === undefined) return undefined;
  try {
    const [list, owner, kind, value] = JSON.parse(text);
    const key = { list, owner, kind, value };
    if (Object.values(key).every((part) => typeof part === 'string')) return key;
  } catch {
    // Reported below.
  }
  throw new OperationalError('operation.input', 'cannot list, as after must be what the page before gave as next');
}

export const listOperations = {
  'list.add': act('list.add', {
    area: 'rules',
    reach: OF_OWNER,
    title: 'Adds an address, host or network to an allow or block list',
    input: {
      list: List,
      kind: Type.Optional(Kind),
      owner: Type.Optional(Text),
      value: Text,
      comment: Type.Optional(Text),
      expires: Type.Optional(Text),
      allowLocal: Type.Optional(Type.Boolean()),
      force: Force,
    },
    answer: Answer(ENTRY),
    run: async ({ rules }, input) => {
      const { row, change } = await rules.addEntry(input);
      return { output: shown(row), change };
    },
  }),

  'list.remove': act('list.remove', {
    area: 'rules',
    reach: OF_OWNER,
    title: 'Removes an entry of a list',
    input: { list: List, kind: Type.Optional(Kind), owner: Type.Optional(Text), value: Text },
    answer: Answer({ list: List, kind: Kind, owner: Type.String(), value: Type.String() }),
    run: async ({ rules }, input) => {
      const { row, change } = await rules.removeEntry(input);
      return { output: row, change };
    },
  }),

  'list.show': look('list.show', {
    area: 'rules',
    reach: { narrowed: true, cut: pageRowsOf(({ owner }: { readonly owner: string }) => [ownerDomain(owner)]) },
    title: 'Shows entries of the lists, a page at a time',
    input: {
      list: Type.Optional(List),
      owner: Type.Optional(Text),
      domains: Domains,
      ...PAGE,
    },
    answer: PageAnswer(Answer(ENTRY)),
    run: async ({ rules }, { limit = DEFAULT_ROWS, after, ...page }) => {
      const rows = await rules.entries({ ...page, after: readKey(after), limit: limit + 1 });
      return { output: pageOf(rows.map(shown), limit, keyOf) };
    },
  }),

  'list.import': act('list.import', {
    area: 'rules',
    long: true,
    reach: 'node',
    title: 'Adds the rows of a CSV whose first line names its columns; all or none',
    input: {
      csv: Lines(IMPORT_BYTES),
      list: Type.Optional(List),
      kind: Type.Optional(Kind),
      owner: Type.Optional(Text),
      allowLocal: Type.Optional(Type.Boolean()),
      force: Force,
    },
    answer: Answer({ count: Type.Integer() }),
    run: async ({ rules }, { csv, ...defaults }) => {
      const { count, change } = await rules.importEntries(csv, defaults);
      return { output: { count }, change };
    },
  }),

  'list.export': look('list.export', {
    area: 'rules',
    reach: OF_OWNER,
    title: 'Writes the entries as CSV, as import reads it',
    input: { list: Type.Optional(List), owner: Type.Optional(Text) },
    answer: Answer({ csv: Type.String(), count: Type.Integer() }),
    run: async ({ rules }, page) => {
      const rows = await rules.entries({ ...page, limit: LIST_ENTRIES });
      return { output: { csv: rules.csv(rows), count: rows.length } };
    },
  }),
};
