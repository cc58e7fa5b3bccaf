/** `postern minger secret` */
import { readPassword } from '../context.ts';
import type { Register } from '../run.ts';

export const minger: Register = (program, { withSession }) => {
  const command = program.command('minger').description('the server that tells others which users exist here');

  command
    .command('secret')
    .description('read the shared secret from standard input; an empty line takes it away')
    .action(
      withSession(async ({ ask, print, stdin }) => {
        const { set } = await ask('minger.set-secret', { secret: await readPassword(stdin) });
        print(set ? 'the Minger server has a new secret' : 'the Minger server has no secret');
      }),
    );
};
