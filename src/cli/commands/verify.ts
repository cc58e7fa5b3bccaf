/** `postern verify <address> [--explain]` */
import { EXIT } from '../exit-codes.ts';
import type { Register } from '../run.ts';
import { explained, verdictOf } from '../verification-report.ts';

interface Options {
  readonly explain?: boolean;
  readonly json?: boolean;
}

export const verify: Register = (program, { withSession, exitWith }) => {
  program
    .command('verify <address>')
    .description(
      'ask the sources of a domain whether a user exists; exits 1 if not, 75 if none can tell. Changes nothing',
    )
    .option('--explain', "show each source's dialogue")
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, address: string, options: Options) => {
        const verified = await ask('verify.address', { address });
        if (options.json) json(verified);
        else print(options.explain ? `${verdictOf(verified)}\n${explained(verified.asked)}` : verdictOf(verified));
        if (verified.answer === 'no') exitWith(EXIT.wrong);
        if (verified.answer === 'cannot-tell') exitWith(EXIT.again);
      }),
    );
};
