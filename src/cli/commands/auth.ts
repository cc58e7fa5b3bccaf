/** `postern auth explain-token` */
import { readInput } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';

const TOKEN_BYTES = 100_000;
const WORDS = { ok: 'ok', fails: 'FAILS', 'cannot-tell': 'cannot tell now' } as const;

export const auth: Register = (program, { withSession, exitWith }) => {
  const command = program.command('auth').description('why somebody cannot sign in');

  command
    .command('explain-token')
    .description(
      'say which check of a token on standard input fails; exits 1 if one does, 75 if its issuer cannot be reached. The token is not shown',
    )
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json, stdin }, options: { json?: boolean }) => {
        const token = (await readInput(stdin, TOKEN_BYTES)).trim();
        const findings = await ask('auth.explain-token', { token });
        if (options.json) json(findings);
        else {
          const rows = findings.map(({ check, result }) => [check, result && WORDS[result]]);
          const said = findings.flatMap(({ check, text }) => (text === undefined ? [] : `\n${check}: ${text}`));
          print(`${table(['CHECK', 'RESULT'], rows)}${said.join('')}`);
        }
        if (findings.some(({ result }) => result === 'cannot-tell')) exitWith(EXIT.again);
        else if (findings.some(({ result }) => result !== 'ok')) exitWith(EXIT.wrong);
      }),
    );
};
