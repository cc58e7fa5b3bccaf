/** `postern admin add|remove|list`: accounts that administer. */
import type { Register } from '../run.ts';
import { table } from '../table.ts';

export const admin: Register = (program, { withSession }) => {
  const command = program.command('admin').description('accounts that administer');

  command
    .command('add <address>')
    .description('make an account an administrator of everything')
    .option('--domain <name>', 'of this domain only')
    .action(
      withSession(async ({ ask, print }, address: string, { domain }: { domain?: string }) => {
        const added = await ask('admin.add', { address, domain });
        print(`${added.address} administers ${added.domain ?? 'everything'}`);
      }),
    );

  command
    .command('remove <address>')
    .description('take that away')
    .option('--domain <name>', 'of this domain')
    .action(
      withSession(async ({ ask, print }, address: string, { domain }: { domain?: string }) => {
        const removed = await ask('admin.remove', { address, domain });
        print(`${removed.address} no longer administers ${removed.domain ?? 'everything'}`);
      }),
    );

  command
    .command('list')
    .description('list the administrators')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, options: { json?: boolean }) => {
        const all = await ask('admin.list', {});
        if (options.json) return json(all);
        print(
          table(
            ['ADDRESS', 'OF'],
            all.map(({ login, domain }) => [login, domain ?? 'everything']),
          ),
        );
      }),
    );
};
