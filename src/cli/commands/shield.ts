/** `postern shield add|list|remove` */
import { FORCE, wholeNumber } from '../options.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';

export const shield: Register = (program, { withSession }) => {
  const command = program
    .command('shield')
    .description('IP shielding: the networks that senders of a domain come from');

  command
    .command('add <domain> <network>')
    .description('pair a domain ($LOCALDOMAIN$: every local one) with a network; it may then send from there')
    .option('--comment <text>', 'what is there')
    .option(...FORCE)
    .option('--json', 'as JSON')
    .action(
      withSession(
        async (
          { ask, print, json },
          domain: string,
          network: string,
          options: { comment?: string; force?: boolean; json?: boolean },
        ) => {
          const { comment, force } = options;
          const added = await ask('shield.add', { domain, network, comment, force });
          if (options.json) return json(added);
          print(`added pair ${added.id}: ${added.domain} and ${added.network}`);
        },
      ),
    );

  command
    .command('remove')
    .argument('<id>', 'as `shield list` shows it', wholeNumber)
    .description('remove a pair')
    .action(
      withSession(async ({ ask, print }, id: number) => {
        print(`removed pair ${(await ask('shield.remove', { id })).id}`);
      }),
    );

  command
    .command('list')
    .description('list the pairs, and the presets')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, options: { json?: boolean }) => {
        const { pairs, presets } = await ask('shield.list', {});
        if (options.json) return json({ pairs, presets });
        const entered = pairs.map(({ id, domain, network, comment }) => [id, domain, network, comment]);
        const preset = presets.map((network) => ['', '$LOCALDOMAIN$', network, 'preset: waives SPF and DMARC only']);
        print(table(['ID', 'DOMAIN', 'NETWORK', 'COMMENT'], [...entered, ...preset]));
      }),
    );
};
