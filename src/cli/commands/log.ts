/** `postern log search|show|sessions|audit` */
import type { OperationInput, OperationOutput } from '../../operations/index.ts';
import { pointInTime, wholeNumber } from '../options.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';

type Search = OperationInput<'log.search'>;

interface Options extends Pick<Search, 'id' | 'messageId' | 'subject' | 'client' | 'disposition' | 'direction'> {
  readonly from?: string;
  readonly to?: string;
  readonly since?: number;
  readonly until?: number;
  readonly limit?: number;
  readonly cursor?: string;
  readonly json?: boolean;
}

type Counted = NonNullable<OperationOutput<'log.search'>['counted']>;

function countedTable(counted: Counted): string {
  return table(
    ['NETWORK', 'FIRST', 'LAST', 'TRANSACTIONS', 'RECIPIENTS', 'REPLIES'],
    counted.map(({ network, since, until, transactions, recipients, replies }) => [
      network,
      since,
      until,
      transactions,
      recipients,
      Object.entries(replies)
        .map(([reply, times]) => `${times} x ${reply}`)
        .join(', '),
    ]),
  );
}

export const log: Register = (program, { withSession, stderr, clock }) => {
  const command = program.command('log').description('what became of messages');
  const time = (text: string): number => pointInTime(text, clock.now());
  const tellCursor = (cursor: string | undefined): void => {
    if (cursor !== undefined) stderr.write(`there is more: --cursor ${cursor}\n`);
  };

  command
    .command('search')
    .description('find messages, newest first')
    .option('--id <id>', 'as told in "queued as"')
    .option('--message-id <text>', 'the Message-ID header')
    .option('--from <address>', 'an address, a domain, a beginning (alice*), or <>')
    .option('--to <address>', 'an address, a domain, or a beginning')
    .option('--subject <words>', 'words that all occur')
    .option('--client <address>', 'who brought it')
    .option('--disposition <word>', 'accept, hold, redirect, discard, refuse or defer')
    .option('--direction <word>', 'inbound, internal, outbound or refused')
    .option('--since <time>', 'a date, a time, or how long ago (2h, 7d)', time)
    .option('--until <time>', 'the same', time)
    .option('--limit <number>', 'how many (100)', wholeNumber)
    .option('--cursor <text>', 'the next page: what the one before told, or its last id')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, { from, to, cursor, json: asJson, ...options }: Options) => {
        const search = { ...options, sender: from, recipient: to, after: cursor };
        const { rows: messages, counted = [], next } = await ask('log.search', search);
        if (asJson) json([...messages, ...counted.map((found) => ({ id: null, direction: 'refused', ...found }))]);
        else {
          const rows = messages.map((found) => [
            found.time,
            found.id,
            found.direction,
            found.from || '<>',
            found.to,
            found.disposition,
            found.subject,
          ]);
          print(table(['TIME', 'ID', 'DIRECTION', 'FROM', 'TO', 'DISPOSITION', 'SUBJECT'], rows));
          if (counted.length > 0)
            print(`\nrefused, and only counted, as they were too many:\n${countedTable(counted)}`);
        }
        tellCursor(next);
      }),
    );

  command
    .command('show <id>')
    .description('show all that the log has of one message or session')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, id: string, options: { json?: boolean }) => {
        const shown = await ask('log.show', { id });
        if (options.json) return json(shown);
        const { renderShown } = await import('../../journal/render.ts');
        print(renderShown(shown));
      }),
    );

  command
    .command('sessions')
    .description('list sessions, newest first: also those that never got as far as a message')
    .option('--client <address>', 'of one client')
    .option('--idle', 'only those that brought no message')
    .option('--since <time>', 'a date, a time, or how long ago (2h, 7d)', time)
    .option('--until <time>', 'the same', time)
    .option('--limit <number>', 'how many (100)', wholeNumber)
    .option('--cursor <text>', 'the next page, as the one before told')
    .option('--json', 'as JSON')
    .action(
      withSession(
        async (
          { ask, print, json },
          { json: asJson, cursor, ...options }: OperationInput<'log.sessions'> & Options,
        ) => {
          const { rows: sessions, next } = await ask('log.sessions', { ...options, after: cursor });
          if (asJson) json(sessions);
          else
            print(
              table(
                ['ENDED', 'ID', 'CLIENT', 'END', 'MESSAGES', 'SESSIONS'],
                sessions.map((row) => [row.time, row.id, row.client, row.end, row.messagesAccepted, row.count]),
              ),
            );
          tellCursor(next);
        },
      ),
    );

  command
    .command('audit')
    .description('who changed what, newest first')
    .option('--since <time>', 'a date, a time, or how long ago (2h, 7d)', time)
    .option('--until <time>', 'the same', time)
    .option('--limit <number>', 'how many (100)', wholeNumber)
    .option('--cursor <text>', 'the next page, as the one before told')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, { json: asJson, ...options }: OperationInput<'log.audit'> & Options) => {
        const { since, until, limit, cursor: after } = options;
        const { rows, next } = await ask('log.audit', { since, until, limit, after });
        if (asJson) json(rows);
        else
          print(
            table(
              ['TIME', 'ACTOR', 'OPERATION', 'RESULT', 'INPUT'],
              rows.map((row) => [row.time, row.actor, row.operation, row.result, row.input]),
            ),
          );
        tellCursor(next);
      }),
    );
};
