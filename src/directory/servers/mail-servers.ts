/**
 * Domain mail servers: the organisation's own servers behind this node, which may send for their domains and get
 * their mail. All of them are kept in memory, and read again after a change.
 */

import { andThen, type MaybePromise } from '../../model/maybe-promise.ts';
import { networksOf } from '../../protocol/network/table.ts';
import type { Database, Row } from '../../store/contract.ts';
import { prepare } from '../../store/statement.ts';
import type { DomainMailServer } from '../contract.ts';
import { MAIL_SERVERS } from '../limits.ts';
import type { RuleTables } from '../rules/schema.ts';
import { PROVIDERS } from '../rules/shared-hosts.ts';
import type { DirectoryTables } from '../schema.ts';
import { conditionOf } from './trust.ts';

export interface MailServerTable {
  readonly all: readonly DomainMailServer[];
  /** A domain's own, in order, else the default ones. */
  of(domain: string): readonly DomainMailServer[];
  /** Enabled local domains that have no server of their own. */
  readonly withoutOwn: readonly string[];
  /** Whether a client is in the networks that a server sends from. */
  sendsFrom(server: DomainMailServer, clientAddress: string): boolean;
  /** Servers whose address alone does not count. */
  readonly conditional: readonly DomainMailServer[];
  /** A certificate is a condition of any of them. */
  readonly asksCertificates: boolean;
}

export interface MailServers {
  table(): MaybePromise<MailServerTable>;
}

type Nothing = Record<never, never>;

export function createMailServers(db: Database): MailServers {
  let current: MailServerTable | undefined;
  let version = 0;
  const servers = prepare<Nothing, DirectoryTables>(db.dialect, (query) =>
    query.selectFrom('mail_server').selectAll().orderBy('position').orderBy('id').limit(MAIL_SERVERS),
  );
  const pairs = prepare<Nothing, DirectoryTables>(db.dialect, (query) =>
    query.selectFrom('mail_server_domain').selectAll().orderBy('domain').orderBy('server'),
  );
  const withoutOwn = prepare<Nothing, DirectoryTables>(db.dialect, (query) =>
    query
      .selectFrom('domain')
      .select('name')
      .where('enabled', '=', 1)
      .where('name', 'not in', query.selectFrom('mail_server_domain').select('domain'))
      .orderBy('name'),
  );
  const networks = prepare<Nothing, RuleTables>(db.dialect, (query) =>
    query.selectFrom('mail_server_network').selectAll().orderBy('server').orderBy('network'),
  );
  const conditions = prepare<Nothing, RuleTables>(db.dialect, (query) =>
    query.selectFrom('mail_server_condition').selectAll().orderBy('server').orderBy('kind').orderBy('value'),
  );
  const statements = [servers({}), pairs({}), withoutOwn({}), networks({}), conditions({})] as const;

  function load(): MaybePromise<MailServerTable> {
    const startedAt = version;
    const { readNow } = db;
    const rows: MaybePromise<(readonly Row[])[]> = readNow
      ? statements.map((statement) => readNow(statement))
      : Promise.all(statements.map((statement) => db.read(statement)));
    return andThen(rows, ([serverRows, pairRows, domainRows, networkRows, conditionRows]) => {
      const table = tableOf(serverRows!, pairRows!, domainRows!, networkRows!, conditionRows!);
      if (version === startedAt) current = table;
      return table;
    });
  }

  db.changes.subscribe(
    ['mail_server', 'mail_server_domain', 'mail_server_network', 'mail_server_condition', 'domain'],
    () => {
      version++;
      current = undefined;
    },
  );

  return { table: () => current ?? load() };
}

function tableOf(
  serverRows: readonly Row[],
  pairRows: readonly Row[],
  domainRows: readonly Row[],
  networkRows: readonly Row[],
  conditionRows: readonly Row[],
): MailServerTable {
  const networksByServer = Map.groupBy(networkRows, ({ server }) => Number(server));
  const tables = new Map(
    [...networksByServer].map(([id, rows]) => [
      id,
      networksOf(rows.flatMap(({ network }) => PROVIDERS[network as string] ?? (network as string))),
    ]),
  );
  const domainsOf = Map.groupBy(pairRows, ({ server }) => Number(server));
  const conditionsOf = Map.groupBy(conditionRows, ({ server }) => Number(server));
  const all = serverRows.map((row) => {
    const id = Number(row['id']);
    return toServer(row, domainsOf.get(id) ?? [], networksByServer.get(id) ?? [], conditionsOf.get(id) ?? []);
  });
  const byDomain = new Map<string, DomainMailServer[]>();
  for (const server of all)
    for (const domain of server.domains) byDomain.set(domain, [...(byDomain.get(domain) ?? []), server]);
  const defaults = all.filter(({ isDefault }) => isDefault);
  const conditional = all.filter(({ conditions }) => conditions !== undefined);
  return {
    all,
    conditional,
    asksCertificates: conditional.some(({ conditions }) =>
      conditions?.some(({ kind }) => kind === 'client-certificate'),
    ),
    of: (domain) => byDomain.get(domain) ?? defaults,
    withoutOwn: domainRows.map(({ name }) => name as string),
    sendsFrom: ({ id }, clientAddress) => tables.get(id)?.find(clientAddress) === true,
  };
}

function toServer(
  row: Row,
  pairs: readonly Row[],
  networks: readonly Row[],
  conditions: readonly Row[],
): DomainMailServer {
  return {
    id: Number(row['id']),
    description: row['description'] as string,
    host: row['host'] as string,
    port: Number(row['port']),
    order: Number(row['position']),
    isDefault: Number(row['is_default']) !== 0,
    domains: pairs.map(({ domain }) => domain as string),
    ...(networks.length > 0 && { sendsFrom: networks.map(({ network }) => network as string) }),
    ...(conditions.length > 0 && {
      conditions: conditions.flatMap(({ kind, value }) => conditionOf(kind as string, value as string) ?? []),
    }),
  };
}
