/** Verification sources: directories that know which users exist. */
import { Type } from 'typebox';
import { anyAddress } from '../../directory/addresses/names.ts';
import type { ListedSource } from '../../directory/sources/admin.ts';
import { SOURCE_KINDS } from '../../directory/sources/definition.ts';
import { OPTION_CHARACTERS, SOURCES } from '../../directory/sources/limits.ts';
import { Answer, Strings } from '../answers.ts';
import { act, look } from '../define.ts';
import { rowsOf } from '../reach.ts';
import type { OperationServices } from '../services.ts';
import { ELSEWHERE } from '../unsafe-text.ts';
import { type Versioning, versioned, versionOf } from '../versions.ts';
import { OF_ADDRESS, Text } from './types.ts';

const Id = Type.Integer({ minimum: 1 });
/** The definition of each kind checks its options. */
const Options = Type.Record(
  Type.String({ maxLength: 50 }),
  Type.Union([Type.String({ maxLength: OPTION_CHARACTERS }), Type.Number(), Type.Boolean()]),
  ELSEWHERE,
);
const Verified = Answer({
  address: Type.String(),
  answer: Type.Enum(['yes', 'no', 'cannot-tell']),
  reason: Type.Optional(Type.String()),
  primary: Type.Optional(Type.String()),
  aliases: Type.Optional(Strings),
  displayName: Type.Optional(Type.String()),
  unavailable: Type.Optional(Type.Enum(['disabled', 'full'])),
  asked: Type.Array(
    Answer({ source: Type.Integer(), kind: Type.String(), description: Type.String(), dialogue: Strings }),
  ),
});
const Secret = Type.String({ maxLength: 10_000 });

const draft = {
  description: Type.Optional(Text),
  options: Type.Optional(Options),
  secret: Type.Optional(Secret),
  isDefault: Type.Optional(Type.Boolean()),
};

const SOURCE_VERSION: Versioning<OperationServices, { readonly id: number }> = {
  async of({ sources }, { id }) {
    const row = (await sources.list()).find((source) => source.id === id);
    return row && versionOf(row);
  },
  unchanged: ({ sources }, { id }) => sources.unchanged(id),
};

export const sourceOperations = {
  'source.add': act('source.add', {
    area: 'sources',
    reach: 'node',
    title: 'Adds a verification source for some domains, or as a default for those that have none',
    input: {
      kind: Type.Enum([...SOURCE_KINDS]),
      ...draft,
      domains: Type.Optional(Type.Array(Text, { maxItems: 10_000 })),
    },
    secrets: ['secret'],
    answer: Answer({ id: Type.Integer() }),
    run: async ({ sources }, { kind, ...rest }) => {
      const { id, change } = await sources.add(kind, rest);
      return { output: { id }, change };
    },
  }),

  'source.edit': act('source.edit', {
    area: 'sources',
    version: SOURCE_VERSION,
    reach: 'node',
    title: 'Changes a verification source; what is not given stays',
    input: { id: Id, ...draft },
    secrets: ['secret'],
    answer: Answer({ id: Type.Integer() }),
    run: async ({ sources }, { id, ...rest }) => ({ output: { id }, change: await sources.edit(id, rest) }),
  }),

  'source.remove': act('source.remove', {
    area: 'sources',
    version: SOURCE_VERSION,
    reach: 'node',
    title: 'Removes a verification source; users whom it confirmed stay',
    input: { id: Id },
    answer: Answer({ id: Type.Integer() }),
    run: async ({ sources }, { id }) => ({ output: { id }, change: await sources.remove(id) }),
  }),

  'source.assign': act('source.assign', {
    area: 'sources',
    reach: 'node',
    title: 'Says which sources a domain has, in the order in which they are asked; none: the default ones',
    input: { domain: Text, ids: Type.Array(Id, { maxItems: SOURCES.ofDomain }) },
    answer: Answer({ domain: Type.String(), ids: Type.Array(Type.Integer()) }),
    run: async ({ sources }, { domain, ids }) => ({
      output: { domain, ids },
      change: await sources.assign(domain, ids),
    }),
  }),

  'source.list': look('source.list', {
    area: 'sources',
    reach: { cut: rowsOf(({ isDefault, domains }: ListedSource) => (isDefault ? [undefined] : domains)) },
    title: 'Lists the verification sources, without their secrets',
    input: {},
    answer: Type.Array(
      Answer({
        id: Type.Integer(),
        kind: Type.String(),
        description: Type.String(),
        options: Type.Object({}),
        hasSecret: Type.Boolean(),
        isDefault: Type.Boolean(),
        domains: Strings,
        version: Type.String(),
      }),
    ),
    run: async ({ sources }) => ({ output: (await sources.list()).map(versioned) }),
  }),

  'source.test': look('source.test', {
    area: 'sources',
    reach: 'node',
    title: 'Asks one source about an address, and about one that nobody has',
    input: { id: Id, address: Text },
    answer: Answer({ answer: Verified, confirmsAnybody: Type.Boolean() }),
    run: async ({ sources }, { id, address }) => ({ output: await sources.test(id, anyAddress(address)) }),
  }),

  'verify.address': look('verify.address', {
    area: 'sources',
    reach: OF_ADDRESS,
    title: 'Asks the sources of a domain about an address, as at RCPT; changes nothing',
    input: { address: Text },
    answer: Verified,
    run: async ({ sources }, { address }) => ({ output: await sources.verify(anyAddress(address)) }),
  }),
};
