/** Allow and block lists: everybody's, a domain's, or an account's own. */
import { Type } from 'typebox';
import { IMPORT_BYTES, LIST_ENTRIES } from '../../directory/rules/limits.ts';
import type { ListEntryRow } from '../../directory/rules/schema.ts';
import { act, look } from '../define.ts';
import { Lines } from '../unsafe-text.ts';
import { Force, Limit, Text } from './types.ts';

const List = Type.Enum(['allow', 'block']);
const Kind = Type.Enum(['address', 'host', 'ip']);
const PAGE = 100;

function shown({ list, kind, owner, value, comment, expires_at, covers_local, created_at }: ListEntryRow) {
  const expires = expires_at === null ? {} : { expires: new Date(Number(expires_at)).toISOString() };
  return {
    list,
    kind,
    owner,
    value,
    comment,
    ...expires,
    /** Whoever forges that address passes: a risk that somebody insisted on. */
    coversLocal: covers_local !== 0,
    createdAt: Number(created_at),
  };
}

export const listOperations = {
  'list.add': act('list.add', {
    area: 'rules',
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
    run: async ({ rules }, input) => {
      const { row, change } = await rules.addEntry(input);
      return { output: shown(row), change };
    },
  }),

  'list.remove': act('list.remove', {
    area: 'rules',
    title: 'Removes an entry of a list',
    input: { list: List, kind: Type.Optional(Kind), owner: Type.Optional(Text), value: Text },
    run: async ({ rules }, input) => {
      const { row, change } = await rules.removeEntry(input);
      return { output: row, change };
    },
  }),

  'list.show': look('list.show', {
    area: 'rules',
    title: 'Shows entries of the lists, a page at a time',
    input: {
      list: Type.Optional(List),
      owner: Type.Optional(Text),
      after: Type.Optional(Type.Object({ list: List, owner: Text, kind: Kind, value: Text })),
      limit: Limit,
    },
    run: async ({ rules }, { limit = PAGE, ...page }) => ({
      output: (await rules.entries({ ...page, limit })).map(shown),
    }),
  }),

  'list.import': act('list.import', {
    area: 'rules',
    title: 'Adds the rows of a CSV whose first line names its columns; all or none',
    input: {
      csv: Lines(IMPORT_BYTES),
      list: Type.Optional(List),
      kind: Type.Optional(Kind),
      owner: Type.Optional(Text),
      allowLocal: Type.Optional(Type.Boolean()),
      force: Force,
    },
    run: async ({ rules }, { csv, ...defaults }) => {
      const { count, change } = await rules.importEntries(csv, defaults);
      return { output: { count }, change };
    },
  }),

  'list.export': look('list.export', {
    area: 'rules',
    title: 'Writes the entries as CSV, as import reads it',
    input: { list: Type.Optional(List), owner: Type.Optional(Text) },
    run: async ({ rules }, page) => {
      const rows = await rules.entries({ ...page, limit: LIST_ENTRIES });
      return { output: { csv: rules.csv(rows), count: rows.length } };
    },
  }),
};
