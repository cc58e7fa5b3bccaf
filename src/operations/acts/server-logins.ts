/** Credentials of this node at other mail servers: domain mail servers and the smart host. */
import { Type } from 'typebox';
import { parseHostPort } from '../../deliver/host-port.ts';
import { deliverySettings } from '../../deliver/settings.ts';
import { type ServerName, serverName } from '../../directory/addresses/names.ts';
import { SERVER_PINS } from '../../directory/limits.ts';
import type { ListedLogin } from '../../directory/servers/logins.ts';
import { OperationalError } from '../../model/errors.ts';
import type { PreparedChange } from '../../store/contract.ts';
import { formatSocketAddress } from '../../world/config.ts';
import { Answer, Strings } from '../answers.ts';
import { act, look } from '../define.ts';
import type { OperationServices } from '../services.ts';
import { Lines } from '../unsafe-text.ts';
import { Text } from './types.ts';

export interface ShownLogin extends ListedLogin {
  readonly use: 'domain mail server' | 'smart host' | 'none';
}

const Use = Type.Enum(['domain mail server', 'smart host', 'none']);

type Services = Pick<OperationServices, 'admin' | 'settings'>;

export const serverLoginOperations = {
  'server.set-credentials': act('server.set-credentials', {
    area: 'servers',
    reach: 'node',
    title: 'Has this node sign in to a mail server or the smart host, which then gets mail in no other way',
    input: {
      server: Text,
      user: Text,
      secret: Type.String({ maxLength: 10_000 }),
      kind: Type.Optional(Type.Enum(['password', 'token'])),
      pins: Type.Optional(Type.Array(Text, { maxItems: SERVER_PINS })),
      authority: Type.Optional(Lines(100_000)),
      implicitTls: Type.Optional(Type.Boolean()),
    },
    secrets: ['secret'],
    answer: Answer({ server: Type.String(), user: Type.String(), use: Use }),
    run: async ({ admin, settings, logins }, { server, ...draft }) => {
      const place = await placeOf(server, { admin, settings });
      const change = logins.set(place, draft);
      return { output: { ...named(place), user: draft.user, use: await useOf(place, { admin, settings }) }, change };
    },
  }),

  'server.clear-credentials': act('server.clear-credentials', {
    area: 'servers',
    reach: 'node',
    title: 'Forgets the credentials for a mail server, which then gets mail without a sign-in',
    input: { server: Text },
    answer: Answer({ server: Type.String() }),
    run: async ({ admin, settings, logins }, { server }) => {
      const place = await placeOf(server, { admin, settings });
      return { output: named(place), change: logins.clear(place) };
    },
  }),

  'server.credentials': look('server.credentials', {
    area: 'servers',
    reach: 'node',
    title: 'Lists where this node signs in and as whom, without the secrets',
    input: {},
    answer: Type.Array(
      Answer({
        host: Type.String(),
        port: Type.Integer(),
        user: Type.String(),
        kind: Type.String(),
        pins: Strings,
        ownAuthority: Type.Boolean(),
        implicitTls: Type.Boolean(),
        usable: Type.Boolean(),
        changedAt: Type.Number(),
        use: Use,
      }),
    ),
    run: async ({ admin, settings, logins }) => ({
      output: await Promise.all(
        logins.list().map(async (login): Promise<ShownLogin> => {
          return { ...login, use: await useOf(login, { admin, settings }) };
        }),
      ),
    }),
  }),
};

/** The credentials of servers that are removed; the smart host keeps its own. */
export function withoutLogins(
  removed: readonly ServerName[],
  { logins, settings }: Pick<OperationServices, 'logins' | 'settings'>,
): readonly PreparedChange[] {
  const smartHost = smartHostOf(settings);
  return removed
    .filter(({ host, port }) => logins.of(host, port) && !(smartHost && isSame(smartHost, { host, port })))
    .map((server) => logins.clear(server));
}

/** An id of the list, `smart-host`, or `host:port`, in use or not. */
async function placeOf(text: string, { admin, settings }: Services): Promise<ServerName> {
  if (/^\d+$/.test(text)) {
    const found = (await admin.listServers()).find(({ id }) => id === Number(text));
    if (found) return { host: found.host, port: found.port };
    throw new OperationalError('directory.missing', `cannot find the server ${text}, as it must be added first`);
  }
  if (text !== 'smart-host') return serverName(text);
  const smartHost = smartHostOf(settings);
  if (smartHost) return smartHost;
  throw new OperationalError(
    'directory.missing',
    `cannot find the smart host, as ${deliverySettings.smartHost.key} must be set first: it is empty`,
  );
}

async function useOf(place: ServerName, { admin, settings }: Services): Promise<ShownLogin['use']> {
  if ((await admin.listServers()).some((server) => isSame(server, place))) return 'domain mail server';
  const smartHost = smartHostOf(settings);
  return smartHost && isSame(smartHost, place) ? 'smart host' : 'none';
}

function smartHostOf(settings: Services['settings']): ServerName | undefined {
  return parseHostPort(settings.current().get(deliverySettings.smartHost), 25);
}

function isSame(a: ServerName, b: ServerName): boolean {
  return a.host === b.host && a.port === b.port;
}

function named({ host, port }: ServerName): { readonly server: string } {
  return { server: formatSocketAddress({ address: host, port }) };
}
