/** `postern auth explain-token` */
import { readInput } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';

const TOKEN_BYTES = 100_000;

export const auth: Register = (program, { withSession, exitWith }) => {
  const command = program.command('auth').description('why somebody cannot sign in');

  command
    .command('explain-token')
    .description('say which check of a token on standard input fails; exits 1 if one does. The token is not shown')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json, stdin }, options: { json?: boolean }) => {
        const token = (await readInput(stdin, TOKEN_BYTES)).trim();
        const findings = await ask('auth.explain-token', { token });
        if (options.json) json(findings);
        else
          print(
            table(
              ['CHECK', 'RESULT', ''],
              findings.map(({ check, passed, text }) => [check, RESULTS[`${passed}`]!, text ?? '']),
            ),
          );
        if (!findings.every(({ passed }) => passed)) exitWith(EXIT.wrong);
      }),
    );
};

const RESULTS: Readonly<Record<string, string>> = { true: 'ok', false: 'FAILS', undefined: '-' };
