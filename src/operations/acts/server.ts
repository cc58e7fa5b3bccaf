/** Domain mail servers: the organisation's own servers, trusted with their domains. */
import { Type } from 'typebox';
import { SERVER_CONDITIONS, SERVER_NETWORKS } from '../../directory/rules/limits.ts';
import { act, look } from '../define.ts';
import { serverLoginOperations, withoutLogins } from './server-logins.ts';
import { both, Force, Text } from './types.ts';

export const serverOperations = {
  'server.add': act('server.add', {
    area: 'servers',
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
    run: async ({ admin }, input) => {
      const { id, change } = await admin.addServer(input);
      return { output: { id }, change };
    },
  }),

  'server.remove': act('server.remove', {
    area: 'servers',
    topics: ['servers', 'settings'],
    title: 'Removes a mail server, and the credentials for it',
    input: { id: Type.Integer({ minimum: 1 }) },
    run: async ({ admin, logins, settings }, { id }) => {
      const removed = (await admin.listServers()).filter((server) => server.id === id);
      const forgotten = withoutLogins(removed, { logins, settings });
      return { output: { id }, change: forgotten.reduce(both, await admin.removeServer(id)) };
    },
  }),

  'server.list': look('server.list', {
    area: 'servers',
    title: 'Lists the mail servers, in the order in which they are tried',
    input: {},
    run: async ({ admin, logins }) => ({
      output: (await admin.listServers()).map((server) => {
        const login = logins.of(server.host, server.port);
        return { ...server, ...(login && { signsInAs: login.user }) };
      }),
    }),
  }),

  ...serverLoginOperations,
};
