/** Aliases: addresses that lead to others, here or elsewhere. */
import { Type } from 'typebox';
import { anyAddress } from '../../directory/addresses/names.ts';
import { ALIAS_TARGETS } from '../../directory/limits.ts';
import { addressKey } from '../../model/address.ts';
import { act, look } from '../define.ts';
import { Limit, Text } from './types.ts';

export const aliasOperations = {
  'alias.add': act('alias.add', {
    area: 'accounts',
    title: 'Adds an alias and the addresses it leads to',
    input: { address: Text, targets: Type.Array(Text, { minItems: 1, maxItems: ALIAS_TARGETS }) },
    run: async ({ admin }, { address, targets }) => {
      const change = await admin.addAlias({ address, targets });
      return { output: { address: addressKey(anyAddress(address)) }, change };
    },
  }),

  'alias.remove': act('alias.remove', {
    area: 'accounts',
    title: 'Removes an alias',
    input: { address: Text },
    run: async ({ admin }, { address }) => {
      const change = await admin.removeAlias(address);
      return { output: { address: addressKey(anyAddress(address)) }, change };
    },
  }),

  'alias.list': look('alias.list', {
    area: 'accounts',
    title: 'Lists aliases, of one domain or of all, a page at a time',
    input: { domain: Type.Optional(Text), after: Type.Optional(Text), limit: Limit },
    run: async ({ admin }, page) => ({ output: await admin.listAliases(page) }),
  }),
};
