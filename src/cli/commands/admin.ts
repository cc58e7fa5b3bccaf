/** `postern admin add|remove|list`: accounts that administer. */
import { InvalidArgumentError } from 'commander';
import { ROLES, type Role } from '../../model/role.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';

export const admin: Register = (program, { withSession }) => {
  const command = program.command('admin').description('accounts that administer');

  command
    .command('add <address>')
    .description('make an account an administrator of everything, or give it another role')
    .option('--domain <name>', 'of this domain only')
    .option('--role <role>', `one of ${ROLES.join(', ')}`, roleOf)
    .action(
      withSession(async ({ ask, print }, address: string, { domain, role }: { domain?: string; role?: Role }) => {
        const added = await ask('admin.add', { address, domain, role });
        if (role === undefined) return print(`${added.address} administers ${added.domain ?? 'everything'}`);
        print(`${added.address} is ${role} of ${added.domain ?? 'everything'}`);
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
            ['ADDRESS', 'OF', 'ROLE'],
            all.map(({ login, domain, role }) => [login, domain ?? 'everything', role]),
          ),
        );
      }),
    );
};

function roleOf(text: string): Role {
  const role = ROLES.find((one) => one === text);
  if (role) return role;
  throw new InvalidArgumentError(`It must be one of ${ROLES.join(', ')}.`);
}
