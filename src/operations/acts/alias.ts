/** Aliases: addresses that lead to others, local or remote. */
import { Type } from 'typebox';
import { anyAddress } from '../../directory/addresses/names.ts';
import type { AliasRow } from '../../directory/admin.ts';
import { ALIAS_TARGETS, PAGE_ROWS } from '../../directory/limits.ts';
import { addressKey } from '../../model/address.ts';
import { pageOf } from '../../model/page.ts';
import { Answer, PageAnswer, Strings } from '../answers.ts';
import { act, look } from '../define.ts';
import { pageRowsOf } from '../reach.ts';
import { versioned, versionOf } from '../versions.ts';
import { Domains, OF_ADDRESS, PAGE, Text } from './types.ts';

const AliasAnswer = Answer({
  address: Type.String(),
  domain: Type.String(),
  targets: Strings,
  createdAt: Type.Number(),
  version: Type.String(),
});

export const aliasOperations = {
  'alias.add': act('alias.add', {
    area: 'accounts',
    reach: OF_ADDRESS,
    title: 'Adds an alias and the addresses it leads to',
    input: { address: Text, targets: Type.Array(Text, { minItems: 1, maxItems: ALIAS_TARGETS }) },
    answer: Answer({ address: Type.String() }),
    run: async ({ admin }, { address, targets }) => {
      const change = await admin.addAlias({ address, targets });
      return { output: { address: addressKey(anyAddress(address)) }, change };
    },
  }),

  'alias.remove': act('alias.remove', {
    area: 'accounts',
    version: {
      async of({ admin }, { address }) {
        const row = await admin.alias(address);
        return row && versionOf(row);
      },
      unchanged: ({ admin }, { address }) => admin.unchanged.alias(address),
    },
    reach: OF_ADDRESS,
    title: 'Removes an alias',
    input: { address: Text },
    answer: Answer({ address: Type.String() }),
    run: async ({ admin }, { address }) => {
      const change = await admin.removeAlias(address);
      return { output: { address: addressKey(anyAddress(address)) }, change };
    },
  }),

  'alias.list': look('alias.list', {
    area: 'accounts',
    reach: { narrowed: true, cut: pageRowsOf(({ domain }: AliasRow) => [domain]) },
    title: 'Lists aliases, of one domain or of all, a page at a time',
    input: { domain: Type.Optional(Text), domains: Domains, ...PAGE },
    answer: PageAnswer(AliasAnswer),
    run: async ({ admin }, { limit = PAGE_ROWS, ...page }) => {
      const rows = await admin.listAliases({ ...page, limit: limit + 1 });
      return { output: pageOf(rows.map(versioned), limit, ({ address }) => address) };
    },
  }),
};
