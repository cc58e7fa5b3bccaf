/** `postern version` */
import type { Register } from '../run.ts';

export const version: Register = (program, tools) => {
  program
    .command('version')
    .description('print the version')
    .action(() => void tools.stdout.write(`${tools.version}\n`));
};
