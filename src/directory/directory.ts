/**
 * The directory as other rooms use it: answers come at once from memory or SQLite; only host names of mail servers
 * and aliases have to be awaited. Errors of the database pass through (`store.unavailable`).
 */
import type { Address } from '../model/address.ts';
import { andThen, isPromise, type MaybePromise } from '../model/maybe-promise.ts';
import type { Settings } from '../settings/contract.ts';
import type { Database } from '../store/contract.ts';
import type { Clock } from '../world/clock.ts';
import type { ResolveHost } from '../world/hosts-file.ts';
import { createIdentityReader, type Identities } from './addresses/identities.ts';
import { createLookup } from './addresses/lookup.ts';
import { createResolve, type OwnHost } from './addresses/resolve.ts';
import type { Directory, DomainMailServer, Resolution, ServerClaim } from './contract.ts';
import { createSharedNetworks, isSharedHost, type SharedNetworks } from './rules/shared-hosts.ts';
import { createHostAddresses, type ThreeAnswers } from './servers/host-addresses.ts';
import { createMailServers, type MailServerTable } from './servers/mail-servers.ts';
import type { SrsKeys } from './signing-keys/srs-keys.ts';

export interface DirectoryServices {
  readonly settings: Settings;
  readonly resolveHost: ResolveHost;
  readonly clock: Clock;
  readonly srs?: Pick<SrsKeys, 'reverse'>;
  readonly ownHost?: OwnHost;
}

export interface OpenDirectory extends Directory {
  /** All domain mail servers, for lists. */
  servers(): MaybePromise<MailServerTable>;
  /** As `resolve`, for another server that asks by Minger from `client`: it is not asked back. */
  resolveFor(client: string, address: Address): MaybePromise<Resolution>;
  /**
   * Our domains, accounts and people; the same object until the directory changes. Errors (the first time only):
   * those of the database.
   */
  identities(): MaybePromise<Identities>;
  /** Networks that several organisations send from. */
  readonly shared: SharedNetworks;
}

export function createDirectory(db: Database, services: DirectoryServices): OpenDirectory {
  const lookup = createLookup(db);
  const mailServers = createMailServers(db);
  const identities = createIdentityReader(db);
  const hasAddress = createHostAddresses(services.resolveHost, services.clock);
  const resolve = createResolve({ lookup, mailServers, ...services });

  const shared = createSharedNetworks(services.settings);

  /** Whether the client's address is one of the server's. A provider's name stands for no address of its own. */
  function has(table: MailServerTable, server: DomainMailServer, clientAddress: string): MaybePromise<ThreeAnswers> {
    if (table.sendsFrom(server, clientAddress)) return 'yes';
    return isSharedHost(server.host) ? 'no' : hasAddress(server.host, clientAddress);
  }

  /** Whether that address alone is enough. */
  function trusts(table: MailServerTable, server: DomainMailServer, clientAddress: string): MaybePromise<ThreeAnswers> {
    const enough = (answer: ThreeAnswers): ThreeAnswers =>
      answer === 'yes' && (server.conditions || shared.has(clientAddress)) ? 'no' : answer;
    return andThen(has(table, server, clientAddress), enough);
  }

  function claims(
    table: MailServerTable,
    clientAddress: string,
    domain: string | undefined,
  ): MaybePromise<readonly ServerClaim[]> {
    const serving = domain === undefined ? table.conditional : table.of(domain);
    const asked = serving.filter(({ conditions }) => conditions !== undefined);
    const answers = asked.map((server) => has(table, server, clientAddress));
    const known = answers.some(isPromise) ? Promise.all(answers) : (answers as ThreeAnswers[]);
    return andThen(known, (verdicts) =>
      asked.flatMap((server, i) => {
        const served = domain ?? server.domains[0] ?? table.withoutOwn[0];
        if (verdicts[i] !== 'yes' || served === undefined) return [];
        return [{ domain: served, conditions: server.conditions! }];
      }),
    );
  }

  function anyHas(
    table: MailServerTable,
    servers: readonly DomainMailServer[],
    clientAddress: string,
  ): MaybePromise<ThreeAnswers> {
    const asked: Promise<ThreeAnswers>[] = [];
    let unsure = false;
    for (const server of servers) {
      const answer = trusts(table, server, clientAddress);
      if (answer === 'yes') return 'yes';
      if (isPromise(answer)) asked.push(answer);
      else if (answer === 'cannot-tell') unsure = true;
    }
    if (asked.length === 0) return unsure ? 'cannot-tell' : 'no';
    return Promise.all(asked).then((answers) => {
      if (answers.includes('yes')) return 'yes';
      return unsure || answers.includes('cannot-tell') ? 'cannot-tell' : 'no';
    });
  }

  return {
    resolve,
    resolveFor: (_, address) => resolve(address),
    domain: lookup.domain,
    mailServers: (domain) => andThen(mailServers.table(), (table) => table.of(domain)),
    servers: () => mailServers.table(),
    isMailServerOf: (name, clientAddress) =>
      // A default server serves local domains; it must not be trusted for remote ones.
      andThen(lookup.domain(name), (domain) =>
        domain?.enabled
          ? andThen(mailServers.table(), (table) => anyHas(table, table.of(name), clientAddress))
          : ('no' as const),
      ),
    mailServerDomains: (clientAddress) =>
      andThen(mailServers.table(), (table) => {
        const answers = table.all.map((server) => trusts(table, server, clientAddress));
        const known = answers.some(isPromise) ? Promise.all(answers) : (answers as ThreeAnswers[]);
        return andThen(known, (verdicts) => servedBy(table, verdicts));
      }),
    serverClaims: (clientAddress, domain) =>
      andThen(mailServers.table(), (table) => {
        if (table.conditional.length === 0) return NO_CLAIMS;
        if (domain === undefined) return claims(table, clientAddress, domain);
        return andThen(lookup.domain(domain), (found) =>
          found?.enabled ? claims(table, clientAddress, domain) : NO_CLAIMS,
        );
      }),
    asksCertificates() {
      const table = mailServers.table();
      return !isPromise(table) && table.asksCertificates;
    },
    shared,
    identities: identities.current,
  };
}

const NO_CLAIMS: readonly ServerClaim[] = Object.freeze([]);

function servedBy(table: MailServerTable, verdicts: readonly ThreeAnswers[]): readonly string[] {
  const domains = new Set<string>();
  for (const [i, server] of table.all.entries()) {
    if (verdicts[i] !== 'yes') continue;
    for (const domain of server.domains) domains.add(domain);
    if (server.isDefault) for (const domain of table.withoutOwn) domains.add(domain);
  }
  return [...domains];
}
