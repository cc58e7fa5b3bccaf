/** IP shielding: the networks that senders of a domain come from. */
import { Type } from 'typebox';
import { LOCAL_DOMAINS } from '../../directory/rules/shields.ts';
import { shieldSettings } from '../../screen/settings.ts';
import { Answer, Strings } from '../answers.ts';
import { act, look } from '../define.ts';
import { Force, Text } from './types.ts';

export const shieldOperations = {
  'shield.add': act('shield.add', {
    area: 'rules',
    reach: 'node',
    title: `Pairs a domain (or ${LOCAL_DOMAINS}, all local ones) with a network that its senders come from`,
    input: { domain: Text, network: Text, comment: Type.Optional(Text), force: Force },
    answer: Answer({ id: Type.Integer(), domain: Type.String(), network: Type.String() }),
    run: async ({ rules }, input) => {
      const { row, change } = await rules.addShield(input);
      return { output: { id: row.id, domain: row.domain, network: row.network }, change };
    },
  }),

  'shield.remove': act('shield.remove', {
    area: 'rules',
    reach: 'node',
    title: 'Removes a pair',
    input: { id: Type.Integer({ minimum: 1 }) },
    answer: Answer({ id: Type.Integer() }),
    run: async ({ rules }, { id }) => ({ output: { id }, change: await rules.removeShield(id) }),
  }),

  'shield.list': look('shield.list', {
    area: 'rules',
    reach: 'node',
    title: 'Lists the pairs that were entered, and the presets of every local domain',
    input: {},
    answer: Answer({
      pairs: Type.Array(
        Answer({ id: Type.Integer(), domain: Type.String(), network: Type.String(), comment: Type.String() }),
      ),
      presets: Strings,
    }),
    run: async ({ rules, settings }) => {
      const pairs = await rules.shields();
      return {
        output: {
          pairs: pairs.map(({ id, domain, network, comment }) => ({ id, domain, network, comment })),
          presets: settings.current().get(shieldSettings.presets),
        },
      };
    },
  }),
};
