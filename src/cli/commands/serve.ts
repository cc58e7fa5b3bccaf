/** `postern serve`: runs a node in the foreground until SIGTERM or SIGINT. */
import type { Register } from '../run.ts';

export const serve: Register = (program, { config, startNode, exitWith }) => {
  program
    .command('serve')
    .description('run a node: receives, decides, queues and delivers until it is told to stop')
    .action(async () => {
      const { serve } = await import('../serve.ts');
      exitWith(await serve(config(), startNode));
    });
};
