/** `postern server add|remove|list`, and the commands of server-credentials.ts. */
import type { ServerCondition } from '../../directory/contract.ts';
import { isSharedHost } from '../../directory/rules/shared-hosts.ts';
import { formatSocketAddress } from '../../world/config.ts';
import { collect, FORCE, wholeNumber } from '../options.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';
import { registerServerCredentials } from './server-credentials.ts';

interface AddOptions {
  readonly domain?: string[];
  readonly default?: boolean;
  readonly sendsFrom?: string[];
  readonly tenantMarker?: string[];
  readonly clientCertificate?: string[];
  readonly signIn?: boolean;
  readonly force?: boolean;
  readonly order?: number;
  readonly description?: string;
  readonly json?: boolean;
}

/** The condition besides the address. */
const WORDS: Readonly<Record<ServerCondition['kind'], string>> = {
  'tenant-marker': 'marker',
  'client-certificate': 'certificate',
  'sign-in': 'sign-in',
};

function trustedBy(host: string, conditions: readonly ServerCondition[] | undefined): readonly string[] {
  if (conditions) return [...new Set(conditions.map(({ kind }) => WORDS[kind]))];
  return [isSharedHost(host) ? 'nothing' : 'address'];
}

export const server: Register = (program, tools) => {
  const { withSession } = tools;
  const command = program.command('server').description("domain mail servers: the organisation's own");
  registerServerCredentials(command, tools);

  command
    .command('add <host:port>')
    .description('add a mail server, or domains and marks to one that exists')
    .option('--domain <name>', 'a domain it serves; may be given several times', collect)
    .option(
      '--sends-from <network>',
      'a network it also sends from, or microsoft-365 or google; may be given several times',
      collect,
    )
    .option(
      '--tenant-marker <header: value>',
      'its address counts only with this header field, once and exactly so; may be given several times',
      collect,
    )
    .option(
      '--client-certificate <sha256|name>',
      'its address counts only with this client certificate; may be given several times',
      collect,
    )
    .option('--sign-in', 'its address counts only once the session has signed in')
    .option('--default', 'it serves the domains that have no server of their own')
    .option('--order <number>', 'lower ones are tried first', wholeNumber)
    .option('--description <text>', 'what it is')
    .option(...FORCE)
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, host: string, options: AddOptions) => {
        const { domain: domains, default: isDefault, order, description, sendsFrom, signIn, force } = options;
        const { tenantMarker: tenantMarkers, clientCertificate: clientCertificates } = options;
        const trust = { sendsFrom, tenantMarkers, clientCertificates, signIn, force };
        const added = await ask('server.add', { server: host, domains, isDefault, order, description, ...trust });
        if (options.json) return json(added);
        print(`added the server ${added.id}`);
        const known = (await ask('server.list', {})).find(({ id }) => id === added.id);
        if (known && !known.conditions && isSharedHost(known.host))
          print(
            'Mail goes there, and none is trusted for coming from there: all customers of the provider do. See --tenant-marker.',
          );
      }),
    );

  command
    .command('remove')
    .argument('<id>', 'as `server list` shows it', wholeNumber)
    .description('remove a mail server')
    .action(
      withSession(async ({ ask, print }, id: number) => {
        print(`removed the server ${(await ask('server.remove', { id })).id}`);
      }),
    );

  command
    .command('list')
    .description('list the mail servers')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, options: { json?: boolean }) => {
        const servers = await ask('server.list', {});
        if (options.json) return json(servers);
        const rows = servers.map(
          ({ id, host, port, order, isDefault, signsInAs, conditions, domains, description }) => [
            id,
            formatSocketAddress({ address: host, port }),
            order,
            isDefault ? 'yes' : 'no',
            signsInAs ?? 'no',
            trustedBy(host, conditions),
            domains,
            description,
          ],
        );
        const columns = ['ID', 'SERVER', 'ORDER', 'DEFAULT', 'SIGNS IN AS', 'TRUSTED BY', 'DOMAINS', 'DESCRIPTION'];
        print(table(columns, rows));
      }),
    );
};
