/** `postern operation list|show|cancel`: acts in the background. */
import { wholeNumber } from '../options.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';

interface Options {
  readonly limit?: number;
  readonly cursor?: string;
  readonly json?: boolean;
}

export const operation: Register = (program, { withSession, stderr }) => {
  const command = program.command('operation').description('acts that go on in the background');

  command
    .command('list')
    .description('list them, newest first')
    .option('--limit <number>', 'how many (100)', wholeNumber)
    .option('--cursor <text>', 'the next page, as the one before told')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, { limit, cursor, json: asJson }: Options) => {
        const { rows, next } = await ask('operation.list', { limit, after: cursor });
        if (asJson) json(rows);
        else
          print(
            table(
              ['ID', 'OPERATION', 'ACTOR', 'STATE', 'DONE', 'STARTED', 'ENDED'],
              rows.map((row) => [row.id, row.operation, row.actor, row.state, row.done, row.startedAt, row.endedAt]),
            ),
          );
        if (next !== undefined) stderr.write(`there is more: --cursor ${next}\n`);
      }),
    );

  command
    .command('show <id>')
    .description('show how far one is, or what it came to')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, id: string, options: Options) => {
        const run = await ask('operation.show', { id });
        if (options.json) return json(run);
        const { output, error, ...facts } = run;
        const outcome = error
          ? [['error', error.message]]
          : output === undefined
            ? []
            : [['answer', JSON.stringify(output)]];
        print(table(['operation', facts.id], [...Object.entries(facts).slice(1), ...outcome]));
      }),
    );

  command
    .command('cancel <id>')
    .description('stop one; what it has done stays done')
    .action(
      withSession(async ({ ask, print }, id: string) => {
        await ask('operation.cancel', { id });
        print(`told ${id} to stop`);
      }),
    );
};
