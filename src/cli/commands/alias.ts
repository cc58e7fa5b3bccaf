/** `postern alias add|remove|list` */
import { allPages } from '../pages.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';

export const alias: Register = (program, { withSession }) => {
  const command = program.command('alias').description('addresses that lead to others');

  command
    .command('add <address> <targets...>')
    .description('add an alias and the addresses it leads to, here or elsewhere')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, address: string, targets: string[], options: { json?: boolean }) => {
        const added = await ask('alias.add', { address, targets });
        if (options.json) return json(added);
        print(`added the alias ${added.address}`);
      }),
    );

  command
    .command('remove <address>')
    .description('remove an alias')
    .action(
      withSession(async ({ ask, print }, address: string) => {
        print(`removed the alias ${(await ask('alias.remove', { address })).address}`);
      }),
    );

  command
    .command('list')
    .description('list aliases')
    .option('--domain <name>', 'of one domain only')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, options: { domain?: string; json?: boolean }) => {
        const aliases = await allPages((page) => ask('alias.list', { domain: options.domain, ...page }));
        if (options.json) return json(aliases);
        const rows = aliases.map(({ address, targets }) => [address, targets]);
        print(table(['ADDRESS', 'TARGETS'], rows));
      }),
    );
};
