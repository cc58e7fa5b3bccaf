/**
 * Searches over one persistent LDAP connection, and sign-ins over connections of their own.
 *
 * Referrals are not followed: they would send our password to any host that a server names. A search has bounds of
 * size and time. Errors: those of ldapts; a connection that broke while it was idle is opened again once.
 */
import { connect, isIP, type LookupFunction } from 'node:net';
import { Client, type Entry, InvalidCredentialsError, ResultCodeError } from 'ldapts';
import type { SourceServices } from './contract.ts';
import type { LdapOptions } from './definition.ts';
import { LDAP_ENTRIES, STEP_MS } from './limits.ts';
import { verifiedTls } from './tls.ts';

export interface Found {
  readonly entries: readonly Entry[];
  /** The server refers to another server. */
  readonly refers: boolean;
}

export interface LdapSearch {
  search(filter: string, attributes: readonly string[]): Promise<Found>;
  /** Whether the server accepts that password for that name; never called with an empty one. */
  bindAs(dn: string, password: string): Promise<boolean>;
  close(): void;
}

interface Bound {
  readonly client: Client;
  readonly base: string;
}

export function createLdapSearch(
  options: LdapOptions,
  secret: string | undefined,
  services: SourceServices,
): LdapSearch {
  const { host, port, tls, trust, user, scope } = options;
  let bound: Promise<Bound> | undefined;
  let closed = false;

  async function open(): Promise<Client> {
    const client = new Client({
      url: `${tls === 'implicit' ? 'ldaps' : 'ldap'}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
      timeout: STEP_MS,
      connectTimeout: STEP_MS,
      ...(tls === 'implicit' && { tlsOptions: { ...verifiedTls(host, trust), lookup: lookupBy(services) } }),
      ...(tls !== 'implicit' && {
        createConnection: (() => connect({ host, port, lookup: lookupBy(services) })) as never,
      }),
    });
    if (tls === 'starttls') await client.startTLS(verifiedTls(host, trust));
    return client;
  }

  async function openBound(): Promise<Bound> {
    if (closed) throw new Error('the source was changed meanwhile');
    const client = await open();
    try {
      if (secret !== undefined) await client.bind(user, secret);
      return { client, base: options.base === '' ? await namingContext(client) : options.base };
    } catch (error) {
      leave(client);
      throw error;
    }
  }

  async function over<T>(run: (bound: Bound) => Promise<T>): Promise<T> {
    const kept = bound;
    bound ??= openBound();
    const mine = bound;
    try {
      return await run(await mine);
    } catch (error) {
      if (error instanceof ResultCodeError && kept) throw error;
      if (bound === mine) bound = undefined;
      mine.then(
        ({ client }) => leave(client),
        () => {},
      );
      if (!kept || error instanceof ResultCodeError) throw error;
    }
    bound ??= openBound();
    return run(await bound);
  }

  return {
    search: (filter, attributes) =>
      over(async ({ client, base }) => {
        const { searchEntries, searchReferences } = await client.search(base, {
          filter,
          scope,
          attributes: [...attributes],
          sizeLimit: LDAP_ENTRIES,
          timeLimit: STEP_MS / 1000,
          derefAliases: 'never',
        });
        // The server reports no error here, as we asked for no more.
        if (searchEntries.length >= LDAP_ENTRIES) throw new Error('the search finds too many entries');
        return { entries: searchEntries, refers: searchReferences.length > 0 };
      }),
    async bindAs(dn, password) {
      const client = await open();
      try {
        await client.bind(dn, password);
        return true;
      } catch (error) {
        if (error instanceof InvalidCredentialsError) return false;
        throw error;
      } finally {
        leave(client);
      }
    },
    close() {
      closed = true;
      bound?.then(
        ({ client }) => leave(client),
        () => {},
      );
      bound = undefined;
    },
  };
}

function leave(client: Client): void {
  client.unbind().catch(() => {});
}

/** RFC 4512 5.1: the root entry names the content of a server. */
async function namingContext(client: Client): Promise<string> {
  const attributes = ['defaultNamingContext', 'namingContexts'];
  const { searchEntries } = await client.search('', { scope: 'base', filter: '(objectClass=*)', attributes });
  const [root] = searchEntries;
  const [first] = [root?.['defaultNamingContext'], root?.['namingContexts']]
    .flat()
    .filter((text) => text && text.length > 0);
  if (typeof first !== 'string') throw new Error('the server does not say where to search: the base must be given');
  return first;
}

/** Names that an operator entered honour the hosts file. */
function lookupBy({ resolveHost }: SourceServices): LookupFunction {
  return (name, { all }, done) => {
    resolveHost(name, { hostsFile: true }).then(
      (found) => {
        if (found.kind !== 'found') return done(new Error(`the host name ${name} has no address now`), '', 0);
        const addresses = found.addresses.map((address) => ({ address, family: isIP(address) }));
        if (all) done(null, addresses as never);
        else done(null, addresses[0]!.address, addresses[0]!.family);
      },
      done as (error: Error) => void,
    );
  };
}

/** RFC 4515 3: what would be syntax in a filter. Without it, `*@example.com` would be everybody. */
export function escapeFilterValue(text: string): string {
  return text.replace(/[\\*()\0]/g, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
