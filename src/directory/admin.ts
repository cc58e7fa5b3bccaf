/**
 * Changing the directory: each change is checked against the current state and returned prepared, so that its writer
 * can put it into one unit with an audit row. Errors: OperationalError `directory.invalid`, `directory.exists`,
 * `directory.missing`, and `store.expectation` when somebody else was faster.
 */
import { addressKey } from '../model/address.ts';
import { OperationalError } from '../model/errors.ts';
import { changeOf } from '../store/changes.ts';
import type { Database, PreparedChange, Row, Statement } from '../store/contract.ts';
import { unchangedRow } from '../store/unchanged.ts';
import type { Clock } from '../world/clock.ts';
import { parseTargets } from './addresses/lookup.ts';
import { anyAddress, domainName, localAddress, newDomainName, type ServerName, serverName } from './addresses/names.ts';
import type { DomainMailServer } from './contract.ts';
import type { OpenDirectory } from './directory.ts';
import { ALIAS_TARGETS, MAIL_SERVERS, NAME_CHARACTERS, PAGE_ROWS } from './limits.ts';
import { conditionRow, type GivenConditions, readConditions, readNetwork } from './servers/trust.ts';
import { sourceStatements } from './sources/statements.ts';
import { directoryStatements } from './statements.ts';

export interface DomainRow {
  readonly name: string;
  readonly enabled: boolean;
  readonly createdAt: number;
}

export interface AccountRow {
  readonly address: string;
  readonly domain: string;
  readonly state: 'active' | 'frozen' | 'disabled';
  readonly hasPassword: boolean;
  /** The display name of its owner; empty if none is set. */
  readonly name: string;
  readonly createdAt: number;
}

export interface AliasRow {
  readonly address: string;
  readonly domain: string;
  readonly targets: readonly string[];
  readonly createdAt: number;
}

export interface Page {
  readonly domain?: string;
  /** Only these; with `domain`: that one if it is among them. */
  readonly domains?: readonly string[];
  /** The name or address after which the page begins. */
  readonly after?: string;
  readonly limit?: number;
}

export interface NewServer extends GivenConditions {
  /** As typed: `host:port`. */
  readonly server: string;
  readonly description?: string;
  readonly order?: number;
  readonly isDefault?: boolean;
  readonly domains?: readonly string[];
  /** Networks that it sends from besides its own addresses, or a provider's name. */
  readonly sendsFrom?: readonly string[];
}

export type DirectoryAdmin = ReturnType<typeof createDirectoryAdmin>;

/** `domainAdded` is called for new domains once they exist. */
export function createDirectoryAdmin(
  db: Database,
  directory: OpenDirectory,
  clock: Clock,
  domainAdded: (name: string) => void = () => {},
) {
  const statements = directoryStatements(db.dialect);
  const verified = sourceStatements(db.dialect);

  async function mustBeLocal(domain: string): Promise<void> {
    if (!(await directory.domain(domain))) throw missing(`the domain ${domain}`);
  }

  /** Neither an account nor an alias has the address yet. */
  async function mustBeFree(address: string): Promise<void> {
    for (const kind of ['accounts', 'aliases'] as const)
      if (await exists(kind, address))
        throw new OperationalError('directory.exists', `cannot add ${address}, as it must be new: it exists already`);
  }

  async function exists(kind: 'accounts' | 'aliases', address: string): Promise<boolean> {
    return (await db.read(statements[kind].one({ address }))).length > 0;
  }

  async function existing(kind: 'accounts' | 'aliases', text: string): Promise<string> {
    const key = addressKey(anyAddress(text));
    if (await exists(kind, key)) return key;
    throw missing(`the ${kind === 'accounts' ? 'account' : 'alias'} ${key}`);
  }

  /** Existing servers are reused; the others are created. */
  async function serverStatements(names: readonly ServerName[], domain: string): Promise<readonly Statement[]> {
    const { all } = await directory.servers();
    let nextId = newId(all);
    return names.flatMap((name, position) => {
      const known = all.find(({ host, port }) => host === name.host && port === name.port);
      if (known) return [statements.link({ server: known.id, domain })];
      const id = nextId++;
      const row = { id, description: '', ...name, position, is_default: 0 };
      return [statements.addServer(row), statements.link({ server: id, domain })];
    });
  }

  /** Servers that would have no domain without this one. */
  async function serversOnlyOf(domain: string): Promise<readonly DomainMailServer[]> {
    const { all } = await directory.servers();
    return all.filter(({ isDefault, domains }) => !isDefault && domains.length === 1 && domains[0] === domain);
  }

  /** The given values are added to those of an existing server. */
  function extended(known: DomainMailServer, said: NewServer, domains: readonly string[]): readonly Statement[] {
    const { id, host, port } = known;
    const { description = known.description, order = known.order, isDefault = known.isDefault } = said;
    const row = { id, host, port, description, position: order, is_default: isDefault ? 1 : 0 };
    const links = domains.map((domain) => statements.link({ server: id, domain }));
    const trust = trustStatements(id, said, known.conditions !== undefined);
    return [statements.removeServer({ id }), statements.addServer(row), ...links, ...trust];
  }

  /** Not another organisation's networks alone: a provider's are shared by all its customers. */
  function trustStatements(server: number, said: NewServer, hadConditions: boolean): readonly Statement[] {
    const conditions = readConditions(said);
    const hasCondition = hadConditions || conditions.length > 0;
    const networks = (said.sendsFrom ?? []).map((text) =>
      readNetwork(text, hasCondition, directory.shared, said.force),
    );
    return [
      ...networks.map((network) => statements.addNetwork({ server, network })),
      ...conditions.map((condition) => statements.addCondition({ server, ...conditionRow(condition) })),
    ];
  }

  return {
    async addDomain(input: { readonly name: string; readonly servers?: readonly string[] }): Promise<PreparedChange> {
      const name = newDomainName(input.name);
      if (await directory.domain(name))
        throw new OperationalError('directory.exists', `cannot add ${name}, as it must be new: it exists already`);
      const servers = await serverStatements((input.servers ?? []).map(serverName), name);
      return {
        statements: [statements.addDomain({ name, at: clock.now() }), ...servers],
        committed: () => domainAdded(name),
      };
    },

    /** With its accounts and aliases, and the servers that served no other domain. */
    async removeDomain(text: string): Promise<PreparedChange> {
      const name = domainName(text);
      await mustBeLocal(name);
      const idle = await serversOnlyOf(name);
      return changeOf([
        statements.removeDomain({ name }),
        statements.removeAccountsOf({ domain: name }),
        statements.removeAliasesOf({ domain: name }),
        statements.unlinkDomain({ domain: name }),
        verified.unlinkDomain({ domain: name }),
        verified.forgetDomain({ pattern: `%@${name}` }),
        ...idle.flatMap(({ id }) => [
          statements.removeServer({ id }),
          statements.removeNetworks({ server: id }),
          statements.removeConditions({ server: id }),
        ]),
      ]);
    },

    serversOnlyOf,

    async listDomains({ domains, after = '', limit = PAGE_ROWS }: Page = {}): Promise<readonly DomainRow[]> {
      if (domains) return (await db.read(statements.domainsOf(domains, { after, limit }))).map(toDomainRow);
      return (await db.read(statements.domains({ after, limit }))).map(toDomainRow);
    },

    async countOf(domain: string): Promise<{ readonly accounts: number; readonly aliases: number }> {
      const [row] = await db.read(statements.countOf({ domain }));
      return { accounts: Number(row?.['accounts']), aliases: Number(row?.['aliases']) };
    },

    /** The statements of sign-in/admin.ts set its password. */
    async addAccount(input: { readonly address: string; readonly name?: string }): Promise<PreparedChange> {
      const address = localAddress(input.address);
      const name = displayName(input.name ?? '');
      const key = addressKey(address);
      await mustBeLocal(address.domain);
      await mustBeFree(key);
      const { domain } = address;
      return changeOf([statements.addAccount({ address: key, domain, password: null, name, at: clock.now() })]);
    },

    /** The empty name removes the name. */
    async setName(text: string, name: string): Promise<PreparedChange> {
      return changeOf([statements.setName({ address: await existing('accounts', text), name: displayName(name) })]);
    },

    hasAccount: (address: string): Promise<boolean> => exists('accounts', address),

    async removeAccount(text: string): Promise<PreparedChange> {
      const address = await existing('accounts', text);
      return changeOf([statements.removeAccount({ address }), verified.forgetAccount({ address })]);
    },

    /** For units that rely on what was read of a row (store/unchanged.ts). */
    unchanged: {
      account: (text: string) => unchangedRow(db, 'account', { address: addressKey(anyAddress(text)) }),
      alias: (text: string) => unchangedRow(db, 'alias', { address: addressKey(anyAddress(text)) }),
      server: (id: number) =>
        unchangedRow(
          db,
          'mail_server',
          { id },
          ['mail_server_domain', 'mail_server_network', 'mail_server_condition'].map((table) => ({
            table,
            where: { server: id },
          })),
        ),
    },

    async account(text: string): Promise<AccountRow | undefined> {
      const [row] = await db.read(statements.accounts.whole({ address: addressKey(anyAddress(text)) }));
      return row && toAccountRow(row);
    },

    async alias(text: string): Promise<AliasRow | undefined> {
      const [row] = await db.read(statements.aliases.whole({ address: addressKey(anyAddress(text)) }));
      return row && toAliasRow(row);
    },

    async listAccounts({ domain, domains, after = '', limit = PAGE_ROWS }: Page = {}): Promise<readonly AccountRow[]> {
      const { all, ofDomain, ofDomains } = statements.accounts;
      const page = { after, limit };
      if (domains) return (await db.read(ofDomains(those(domains, domain), page))).map(toAccountRow);
      return (await db.read(domain ? ofDomain({ domain: domainName(domain), ...page }) : all(page))).map(toAccountRow);
    },

    async addAlias(input: { readonly address: string; readonly targets: readonly string[] }): Promise<PreparedChange> {
      const address = localAddress(input.address);
      const key = addressKey(address);
      await mustBeLocal(address.domain);
      await mustBeFree(key);
      const targets = input.targets.map((target) => anyAddress(target).text);
      if (targets.length === 0 || targets.length > ALIAS_TARGETS)
        throw new OperationalError(
          'directory.invalid',
          `cannot add ${key}, as an alias must have 1 to ${ALIAS_TARGETS} targets: it has ${targets.length}`,
        );
      if (targets.some((target) => addressKey(anyAddress(target)) === key))
        throw new OperationalError(
          'directory.invalid',
          `cannot add ${key}, as an alias must not lead to itself: it does`,
        );
      const row = { address: key, domain: address.domain, targets: JSON.stringify(targets), at: clock.now() };
      return changeOf([statements.addAlias(row)]);
    },

    async removeAlias(text: string): Promise<PreparedChange> {
      return changeOf([statements.removeAlias({ address: await existing('aliases', text) })]);
    },

    async listAliases({ domain, domains, after = '', limit = PAGE_ROWS }: Page = {}): Promise<readonly AliasRow[]> {
      const { all, ofDomain, ofDomains } = statements.aliases;
      const page = { after, limit };
      if (domains) return (await db.read(ofDomains(those(domains, domain), page))).map(toAliasRow);
      return (await db.read(domain ? ofDomain({ domain: domainName(domain), ...page }) : all(page))).map(toAliasRow);
    },

    async addServer(input: NewServer): Promise<{ readonly id: number; readonly change: PreparedChange }> {
      const name = serverName(input.server);
      const domains = (input.domains ?? []).map(domainName);
      for (const domain of domains) await mustBeLocal(domain);
      const { all } = await directory.servers();
      const known = all.find(({ host, port }) => host === name.host && port === name.port);
      if (known) return { id: known.id, change: changeOf(extended(known, input, domains)) };
      if (all.length >= MAIL_SERVERS)
        throw new OperationalError(
          'directory.invalid',
          `cannot add a server, as there must be at most ${MAIL_SERVERS}: there are ${all.length}`,
        );
      const id = newId(all);
      const { description = '', order = 0, isDefault = false } = input;
      const row = { id, description, ...name, position: order, is_default: isDefault ? 1 : 0 };
      const links = domains.map((domain) => statements.link({ server: id, domain }));
      return {
        id,
        change: changeOf([statements.addServer(row), ...links, ...trustStatements(id, input, false)]),
      };
    },

    async removeServer(id: number): Promise<PreparedChange> {
      const { all } = await directory.servers();
      if (!all.some((server) => server.id === id)) throw missing(`the server ${id}`);
      return changeOf([
        statements.removeServer({ id }),
        statements.unlinkServer({ server: id }),
        statements.removeNetworks({ server: id }),
        statements.removeConditions({ server: id }),
      ]);
    },

    async listServers(): Promise<readonly DomainMailServer[]> {
      return (await directory.servers()).all;
    },
  };
}

function displayName(text: string): string | null {
  const name = text.trim();
  if (name.length <= NAME_CHARACTERS) return name === '' ? null : name;
  throw new OperationalError(
    'directory.invalid',
    `cannot name the account, as its name must have at most ${NAME_CHARACTERS} characters: it has ${name.length}`,
  );
}

function newId(servers: readonly DomainMailServer[]): number {
  return servers.reduce((highest, { id }) => Math.max(highest, id), 0) + 1;
}

function missing(what: string): OperationalError {
  return new OperationalError('directory.missing', `cannot find ${what}, as it must be added first`);
}

function toDomainRow(row: Row): DomainRow {
  return { name: row['name'] as string, enabled: Number(row['enabled']) !== 0, createdAt: Number(row['created_at']) };
}

function toAccountRow(row: Row): AccountRow {
  return {
    address: row['address'] as string,
    domain: row['domain'] as string,
    state: row['state'] as AccountRow['state'],
    hasPassword: row['password'] !== null,
    name: (row['name'] as string | null) ?? '',
    createdAt: Number(row['created_at']),
  };
}

function toAliasRow(row: Row): AliasRow {
  return {
    address: row['address'] as string,
    domain: row['domain'] as string,
    targets: parseTargets(row['targets'] as string).map(({ text }) => text),
    createdAt: Number(row['created_at']),
  };
}

function those(domains: readonly string[], domain: string | undefined): readonly string[] {
  return domain === undefined ? domains : domains.filter((one) => one === domainName(domain));
}
