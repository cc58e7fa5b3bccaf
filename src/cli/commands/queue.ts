/** `postern queue list|show|recheck|retry|hold|release|redirect|bounce|delete` */
import { type Command, Option } from 'commander';
import type { OperationInput, OperationOutput } from '../../operations/index.ts';
import { BACKGROUND, longAct } from '../background.ts';
import type { CommandContext } from '../context.ts';
import { wholeNumber } from '../options.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';

type QueueList = OperationOutput<'queue.list'>;
type QueueAct = 'queue.retry' | 'queue.hold' | 'queue.release' | 'queue.bounce' | 'queue.delete' | 'queue.redirect';
type Filter = Omit<OperationInput<'queue.list'>, 'limit' | 'after'>;

interface Options extends Omit<Filter, 'domains'> {
  readonly domain?: string[];
  readonly all?: boolean;
  readonly reason?: string;
  readonly limit?: number;
  readonly background?: boolean;
  readonly json?: boolean;
}

const PAGE_ROWS = 1000;

export const queue: Register = (program, { withSession, stderr, clock }) => {
  const command = program.command('queue').description('mail that waits or is held');

  filtered(
    command.command('list').description('list recipients, the oldest message first; held mail alone, the newest first'),
  )
    .option('--limit <number>', 'at most so many', wholeNumber)
    .action(
      withSession(async (context, options: Options) => {
        const rows = await list(context, filterOf(options), options.limit ?? Number.POSITIVE_INFINITY);
        if (options.json) return context.json(rows);
        const cells = rows.map((row) => [
          row.id,
          row.from || '<>',
          row.to,
          row.class ? `${row.state} (${row.class})` : row.state,
          row.holdReason ?? row.waitReason,
          row.due,
          row.attempts,
          row.lastReply,
        ]);
        context.print(table(['ID', 'FROM', 'TO', 'STATE', 'WHY', 'DUE', 'TRIES', 'LAST REPLY'], cells));
      }),
    );

  command
    .command('show <id>')
    .description('show one message with its recipients and their last tries')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, id: string, options: Options) => {
        const message = await ask('queue.show', { id });
        if (options.json) return json(message);
        const { recipients, ...facts } = message;
        print(table(['message', message.messageId], Object.entries(facts).slice(1)));
        const cells = recipients.map((row) => [
          row.id,
          row.to,
          row.state,
          row.holdReason ?? row.waitReason,
          row.due,
          row.attempts,
          row.lastReply,
        ]);
        print(`\n${table(['ID', 'TO', 'STATE', 'WHY', 'DUE', 'TRIES', 'LAST REPLY'], cells)}`);
      }),
    );

  command
    .command('recheck <id>')
    .description('judge one message again, and change nothing')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, id: string, options: Options) => {
        const checked = await ask('queue.recheck', { id });
        if (options.json) return json(checked);
        print(recheckTable(checked));
      }),
    );

  /** Named messages are done quickly; the results of a filter may take long. */
  const act = async <N extends QueueAct>(
    context: CommandContext,
    name: N,
    input: OperationInput<N> & { readonly ids: readonly string[] },
    { background }: Options,
  ): Promise<OperationOutput<N> | undefined> =>
    input.ids.length > 0 && !background
      ? context.ask(name, input)
      : longAct(context, name, input, { clock, stderr, background });

  const acts = [
    ['retry', 'try again now'],
    ['hold', 'hold back until released'],
    ['release', 'let held mail go on'],
    ['bounce', 'give up, and tell the sender'],
    ['delete', 'delete, and tell nobody'],
  ] as const;
  for (const [name, title] of acts) {
    const line = selecting(command.command(`${name} [ids...]`).description(title));
    if (name === 'hold' || name === 'bounce') line.option('--reason <text>', 'why');
    line.action(
      withSession(async (context, ids: string[], options: Options) =>
        told(context, options, await act(context, `queue.${name}`, selectionOf(ids, options), options)),
      ),
    );
  }

  selecting(command.command('redirect <address> [ids...]').description('send to another address instead')).action(
    withSession(async (context, address: string, ids: string[], options: Options) =>
      told(context, options, await act(context, 'queue.redirect', { address, ...selectionOf(ids, options) }, options)),
    ),
  );
};

function recheckTable({ reply, recipients }: OperationOutput<'queue.recheck'>): string {
  const whole = reply && `${reply.code} ${reply.enhanced ?? ''} ${reply.text}`;
  const rows = recipients.flatMap(({ recipient, disposition, was, now }) => [
    [recipient, 'as a whole', '', disposition ?? whole, ''],
    ...was.map((one) => [recipient, 'was', `${one.check} ${one.code}`, one.action, one.text]),
    ...now.map((one) => [recipient, 'now', `${one.check} ${one.code}`, one.action, one.text]),
  ]);
  return table(['RECIPIENT', 'WHEN', 'FINDING', 'ACTION', 'TEXT'], rows);
}

async function list({ ask }: CommandContext, filter: Filter, most: number): Promise<QueueList['rows']> {
  const rows: QueueList['rows'][number][] = [];
  let after: string | undefined;
  do {
    const limit = Math.min(PAGE_ROWS, most - rows.length);
    const page: QueueList = await ask('queue.list', { ...filter, limit, after });
    rows.push(...page.rows);
    after = page.next;
  } while (after !== undefined && rows.length < most);
  return rows;
}

function filtered(command: Command): Command {
  return command
    .addOption(new Option('--state <state>', 'only those').choices(['queued', 'held']))
    .addOption(new Option('--class <class>', 'only what is held for those').choices(['user', 'admin', 'operator']))
    .option('--to <address>', 'to an address or a domain')
    .option('--from <address>', 'from an address or a domain')
    .option('--domain <domain...>', 'of domains of yours: the recipient’s, of outbound mail the sender’s')
    .option('--check <check>', 'held by this check')
    .option('--code <code>', 'held for a finding of this code')
    .option('--subject <text>', 'with this in the subject')
    .option('--json', 'as JSON');
}

function selecting(command: Command): Command {
  return filtered(command.option('--all', 'everything, or everything that the options find').option(...BACKGROUND));
}

function filterOf({ state, class: held, to, from, check, code, subject, domain }: Options): Filter {
  return { state, class: held, to, from, check, code, subject, ...(domain && { domains: domain }) };
}

function selectionOf(ids: readonly string[], options: Options) {
  const { all, reason } = options;
  return { ids: [...ids], all, ...filterOf(options), ...(reason !== undefined && { reason }) };
}

function told(
  { print, json }: CommandContext,
  options: Options,
  result: { readonly changed: number } | undefined,
): void {
  if (!result) return;
  if (options.json) json(result);
  else print(`${result.changed} ${result.changed === 1 ? 'recipient' : 'recipients'} changed`);
}
