/**
 * `postern user add|remove|set-password|set-name|list`, and the commands of user-credentials.ts. Passwords come by
 * standard input, never as an argument.
 */
import { readPassword } from '../context.ts';
import { allPages } from '../pages.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';
import { registerCredentials } from './user-credentials.ts';

export const user: Register = (program, tools) => {
  const { withSession } = tools;
  const command = program.command('user').description('accounts');
  registerCredentials(command, tools);

  command
    .command('add <address>')
    .description('add an account')
    .option('--password-stdin', 'read its password from standard input')
    .option('--name <name>', 'what people call its owner: strangers who use it are noticed')
    .option('--json', 'as JSON')
    .action(
      withSession(
        async (
          { ask, print, json, stdin },
          address: string,
          options: { passwordStdin?: boolean; name?: string; json?: boolean },
        ) => {
          const password = options.passwordStdin ? await readPassword(stdin) : undefined;
          const added = await ask('user.add', { address, password, name: options.name });
          if (options.json) return json(added);
          print(`added the account ${added.address}`);
        },
      ),
    );

  command
    .command('remove <address>')
    .description('remove an account with its settings')
    .action(
      withSession(async ({ ask, print }, address: string) => {
        print(`removed the account ${(await ask('user.remove', { address })).address}`);
      }),
    );

  command
    .command('set-password <address>')
    .description('give an account another password, read from standard input')
    .option('--password-stdin', 'said for clearness; it is always read from there')
    .option('--cram-md5', 'keep it, encrypted, so that CRAM-MD5 works for this account')
    .option('--no-cram-md5', 'keep it no longer')
    .action(
      withSession(async ({ ask, print, stdin }, address: string, { cramMd5 }: { cramMd5?: boolean }) => {
        const password = await readPassword(stdin);
        const changed = await ask('user.set-password', { address, password, cramMd5 });
        print(`changed the password of ${changed.address}`);
      }),
    );

  command
    .command('set-name <address> <name>')
    .description('say what people call the owner of an account; an empty name takes it away')
    .action(
      withSession(async ({ ask, print }, address: string, name: string) => {
        print(`changed the name of ${(await ask('user.set-name', { address, name })).address}`);
      }),
    );

  command
    .command('list')
    .description('list accounts')
    .option('--domain <name>', 'of one domain only')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, options: { domain?: string; json?: boolean }) => {
        const accounts = await allPages((page) => ask('user.list', { domain: options.domain, ...page }));
        if (options.json) return json(accounts);
        const rows = accounts.map(({ address, state, hasPassword, name }) => [
          address,
          state,
          hasPassword ? 'set' : 'none',
          name,
        ]);
        print(table(['ADDRESS', 'STATE', 'PASSWORD', 'NAME'], rows));
      }),
    );
};
