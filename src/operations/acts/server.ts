/** Domain mail servers: the organisation's own servers, trusted with their domains. */
import { Type } from 'typebox';
import type { DomainMailServer } from '../../directory/contract.ts';
import { SERVER_CONDITIONS, SERVER_NETWORKS } from '../../directory/rules/limits.ts';
import { Answer, Strings } from '../answers.ts';
import { act, look } from '../define.ts';
import { rowsOf } from '../reach.ts';
import { versioned, versionOf } from '../versions.ts';
import { serverLoginOperations, withoutLogins } from './server-logins.ts';
import { both, Force, Text } from './types.ts';

/** Also of those that `domain show` names. */
export const ServerAnswer = Answer({
  id: Type.Integer(),
  description: Type.String(),
  host: Type.String(),
  port: Type.Integer(),
  order: Type.Integer(),
  isDefault: Type.Boolean(),
  domains: Strings,
  sendsFrom: Type.Optional(Strings),
  conditions: Type.Optional(Type.Array(Type.Object({ kind: Type.String() }))),
  signsInAs: Type.Optional(Type.String()),
  version: Type.Optional(Type.String()),
});

export const serverOperations = {
  'server.add': act('server.add', {
    area: 'servers',
    reach: 'node',
    topics: ['servers', 'domains'],
    title:
      'Adds a mail server for some domains, or as a default for those that have none; one that exists gets them too',
    input: {
      server: Text,
      description: Type.Optional(Text),
      order: Type.Optional(Type.Integer({ minimum: -1000, maximum: 1000 })),
      isDefault: Type.Optional(Type.Boolean()),
      domains: Type.Optional(Type.Array(Text, { maxItems: 10_000 })),
      sendsFrom: Type.Optional(Type.Array(Text, { maxItems: SERVER_NETWORKS })),
      tenantMarkers: Type.Optional(Type.Array(Text, { maxItems: SERVER_CONDITIONS })),
      clientCertificates: Type.Optional(Type.Array(Text, { maxItems: SERVER_CONDITIONS })),
      signIn: Type.Optional(Type.Boolean()),
      force: Force,
    },
    answer: Answer({ id: Type.Integer() }),
    run: async ({ admin }, input) => {
      const { id, change } = await admin.addServer(input);
      return { output: { id }, change };
    },
  }),

  'server.remove': act('server.remove', {
    area: 'servers',
    version: {
      async of({ admin }, { id }) {
        const row = (await admin.listServers()).find((server) => server.id === id);
        return row && versionOf(row);
      },
      unchanged: ({ admin }, { id }) => admin.unchanged.server(id),
    },
    reach: 'node',
    topics: ['servers', 'settings'],
    title: 'Removes a mail server, and the credentials for it',
    input: { id: Type.Integer({ minimum: 1 }) },
    answer: Answer({ id: Type.Integer() }),
    run: async ({ admin, logins, settings }, { id }) => {
      const removed = (await admin.listServers()).filter((server) => server.id === id);
      const forgotten = withoutLogins(removed, { logins, settings });
      return { output: { id }, change: forgotten.reduce(both, await admin.removeServer(id)) };
    },
  }),

  'server.list': look('server.list', {
    area: 'servers',
    reach: { cut: rowsOf(({ isDefault, domains }: DomainMailServer) => (isDefault ? [undefined] : domains)) },
    title: 'Lists the mail servers, in the order in which they are tried',
    input: {},
    answer: Type.Array(ServerAnswer),
    run: async ({ admin, logins }) => ({
      output: (await admin.listServers()).map((server) => {
        const login = logins.of(server.host, server.port);
        return { ...versioned(server), ...(login && { signsInAs: login.user }) };
      }),
    }),
  }),

  ...serverLoginOperations,
};
