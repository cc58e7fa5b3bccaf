/** `postern demo`: a sandbox to explore. */
import type { Register } from '../run.ts';

export const demo: Register = (program, tools) => {
  program
    .command('demo')
    .description('run a sandbox with two domains, send real messages through it and show what became of each')
    .option('--once', 'stop when the table is printed, instead of running on')
    .action(async ({ once = false }: { once?: boolean }) => {
      const { runDemo } = await import('../demo/demo.ts');
      tools.exitWith(await runDemo(tools, { once }));
    });
};
