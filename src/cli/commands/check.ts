/** `postern check [domain <name> | node]` */
import type { Command } from 'commander';
import { colours } from '../colours.ts';
import { EXIT } from '../exit-codes.ts';
import { allPages } from '../pages.ts';
import { type Checked, render } from '../posture-report.ts';
import type { Register } from '../run.ts';

interface Options {
  readonly json?: boolean;
}

/** Domains of one request: a slow name server must not delay an answer for long. */
const DOMAINS_AT_ONCE = 8;

export const check: Register = (program, { withSession, exitWith, source, stdout }) => {
  const tell = ({ json }: Options, all: readonly Checked[], whole: unknown, asJson: (value: unknown) => void): void => {
    if (json) asJson(whole);
    else stdout.write(`${render(all, colours(stdout, source.env))}\n`);
    if (all.some(({ verdict }) => verdict === 'wrong')) exitWith(EXIT.wrong);
    else if (all.some(({ verdict }) => verdict === 'cannot-tell')) exitWith(EXIT.again);
  };

  const command = program
    .command('check')
    .description(
      'test the DNS records of this node and its domains, and say what to publish; exits 1 if anything is wrong, 75 if nothing is but something could not be told',
    )
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, json }, options: Options) => {
        const node = await ask('check.node', {});
        const domains = await allPages((page) => ask('check.domains', page), DOMAINS_AT_ONCE);
        tell(options, [node, ...domains], { node, domains }, json);
      }),
    );

  // `--json` after these words is read as that of `check` itself, so both count.
  command
    .command('domain <name>')
    .description('one domain, local or not yet, and this node')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, json }, name: string, _: Options, own: Command) => {
        const [node, domain] = await Promise.all([ask('check.node', {}), ask('check.domain', { name })]);
        tell(own.optsWithGlobals(), [node, domain], { node, domains: [domain] }, json);
      }),
    );

  command
    .command('node')
    .description('this node alone: names, addresses, certificate, block lists')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, json }, _: Options, own: Command) => {
        const node = await ask('check.node', {});
        tell(own.optsWithGlobals(), [node], { node, domains: [] }, json);
      }),
    );
};
