/** `postern domain add|remove|list|show` */
import { formatSocketAddress } from '../../world/config.ts';
import { readPassword } from '../context.ts';
import { collect } from '../options.ts';
import { allPages } from '../pages.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';

interface Json {
  readonly json?: boolean;
}

export const domain: Register = (program, { withSession }) => {
  const command = program.command('domain').description('local domains, and where their mail goes');

  command
    .command('add <name>')
    .description('add a local domain')
    .option('--server <host:port>', 'a mail server its mail goes to; may be given several times, in order', collect)
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, name: string, options: Json & { server?: string[] }) => {
        const added = await ask('domain.add', { name, servers: options.server });
        if (options.json) return json(added);
        print(`added the domain ${added.name}`);
      }),
    );

  command
    .command('remove <name>')
    .description('remove a local domain with its accounts, aliases and settings')
    .action(
      withSession(async ({ ask, print }, name: string) => {
        print(`removed the domain ${(await ask('domain.remove', { name })).name}`);
      }),
    );

  command
    .command('set-password <name>')
    .description(
      'the password by which servers or users of the whole domain sign in, from standard input; empty takes it away',
    )
    .action(
      withSession(async ({ ask, print, stdin }, name: string) => {
        const password = await readPassword(stdin);
        const changed = await ask('domain.set-password', { name, password });
        print(`${password === '' ? 'took away' : 'changed'} the password of ${changed.name}`);
      }),
    );

  command
    .command('list')
    .description('list the local domains')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, options: Json) => {
        const domains = await allPages((page) => ask('domain.list', page));
        if (options.json) return json(domains);
        const rows = domains.map(({ name, enabled, servers }) => [name, enabled ? 'yes' : 'no', servers]);
        print(table(['DOMAIN', 'ENABLED', 'MAIL SERVERS'], rows));
      }),
    );

  command
    .command('show <name>')
    .description('show one domain')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, name: string, options: Json) => {
        const shown = await ask('domain.show', { name });
        if (options.json) return json(shown);
        const servers = shown.servers.map(({ host, port }) => formatSocketAddress({ address: host, port }));
        print(
          table(
            ['domain', shown.name],
            [
              ['enabled', shown.enabled ? 'yes' : 'no'],
              ['mail servers', servers],
              ['accounts', shown.accounts],
              ['aliases', shown.aliases],
            ],
          ),
        );
      }),
    );
};
