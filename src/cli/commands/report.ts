/** `postern report dmarc list|show|preview|send`, `postern report incoming list|show` */
import { type Command, Option } from 'commander';
import type { OperationOutput } from '../../operations/index.ts';
import type { CommandContext } from '../context.ts';
import { pointInTime, wholeNumber } from '../options.ts';
import type { CommandTools, Register } from '../run.ts';
import { table } from '../table.ts';

interface Options {
  readonly day?: string;
  readonly domain?: string;
  readonly kind?: 'aggregate' | 'failure' | 'tls' | 'malformed';
  readonly since?: number;
  readonly limit?: number;
  readonly json?: boolean;
}

type View = OperationOutput<'report.incoming.view'>;
type Aligned = View['sources'][number] | View['days'][number];

export const report: Register = (program, tools) => {
  const command = program.command('report').description('DMARC and TLS reports, sent and received');
  dmarc(command.command('dmarc').description('what this node reports to the domains that ask for it'), tools);
  incoming(command.command('incoming').description('what others report on our domains'), tools);
};

function dmarc(command: Command, { withSession, exitWith }: CommandTools): void {
  command
    .command('list')
    .description('list what is counted and not sent yet')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, options: Options) => {
        const listed = await ask('report.dmarc.list', {});
        if (options.json) return json(listed);
        const { may, days } = listed;
        const rows = days.map((day) => [day.day, day.domain, day.messages, day.rows, day.rua]);
        print(table(['DAY', 'POLICY DOMAIN', 'MESSAGES', 'ROWS', 'TO'], rows));
        if (may.answer !== 'yes') print(`\nNothing is sent: ${may.reason}`);
      }),
    );

  daily(command.command('show <domain>').description('show what is counted of one domain'))
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, domain: string, { day, json: asJson }: Options) => {
        const shown = await ask('report.dmarc.show', { domain, day });
        if (asJson) return json(shown);
        print(`${shown.domain}, ${shown.day}: ${shown.messages} messages, policy p=${shown.policy.p}\n`);
        const rows = shown.counted.map((row) => [
          row.messages,
          row['sourceIp'],
          row['headerFrom'],
          row['disposition'],
          row['dkim'],
          row['spf'],
        ]);
        print(table(['MESSAGES', 'SOURCE', 'FROM', 'DISPOSITION', 'DKIM', 'SPF'], rows));
      }),
    );

  daily(command.command('preview <domain>').description('write the report as it would be sent now')).action(
    withSession(async ({ ask, print }, domain: string, { day }: Options) => {
      print((await ask('report.dmarc.preview', { domain, day })).xml.trimEnd());
    }),
  );

  command
    .command('send')
    .description('send the reports of the days that are over')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, options: Options) => {
        const sent = await ask('report.dmarc.send', {});
        if (sent.may.answer !== 'yes') exitWith(1);
        if (options.json) return json(sent);
        if (sent.may.answer !== 'yes') return print(`nothing is sent: ${sent.may.reason}`);
        print(
          `${sent.written} written, ${sent.refused} without an address that agreed, ${sent.waiting} wait for the DNS`,
        );
      }),
    );
}

function incoming(command: Command, { withSession, clock }: CommandTools): void {
  const since = (text: string): number => pointInTime(text, clock.now());

  command
    .command('list')
    .description('list reports of others, newest first')
    .option('--domain <name>', 'on one domain')
    .addOption(new Option('--kind <kind>', 'only those').choices(['aggregate', 'failure', 'tls', 'malformed']))
    .option('--since <time>', 'a date, a time, or how long ago (2h, 7d)', since)
    .option('--limit <number>', 'how many (100)', wholeNumber)
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, { json: asJson, ...filter }: Options) => {
        const { domain, kind, since: from, limit } = filter;
        const { rows: listed } = await ask('report.incoming.list', { domain, kind, since: from, limit });
        if (asJson) return json(listed);
        const rows = listed.map((row) => [
          row.id,
          row.kind,
          row.domain,
          row.organisation,
          row.ends?.slice(0, 10),
          row.messages,
          row.problem,
        ]);
        print(table(['ID', 'KIND', 'DOMAIN', 'FROM', 'UNTIL', 'MESSAGES', 'PROBLEM'], rows));
      }),
    );

  command
    .command('show <domain-or-id>')
    .description('show what reports say of a domain, by source and by day; or one report')
    .option('--since <time>', 'a date, a time, or how long ago (30d)', since)
    .option('--json', 'as JSON')
    .action(
      withSession(async (context, name: string, options: Options) =>
        name.includes('.') ? showDomain(context, name, options) : showReport(context, name, options),
      ),
    );
}

async function showDomain(
  { ask, print, json }: CommandContext,
  domain: string,
  { since, json: asJson }: Options,
): Promise<void> {
  const view = await ask('report.incoming.view', { domain, since });
  if (asJson) return json(view);
  const headers = ['MESSAGES', 'ALIGNED', 'DKIM', 'SPF', 'QUARANTINED', 'REJECTED'];
  print(
    table(
      ['SOURCE', ...headers],
      view.sources.map((row) => [row.source, ...cells(row)]),
    ),
  );
  print(
    `\n${table(
      ['DAY', ...headers],
      view.days.map((row) => [row.day, ...cells(row)]),
    )}`,
  );
}

function cells({ messages, aligned, dkim, spf, quarantined, rejected }: Aligned): readonly unknown[] {
  return [
    messages,
    `${messages === 0 ? 0 : Math.round((100 * aligned) / messages)} %`,
    dkim,
    spf,
    quarantined,
    rejected,
  ];
}

async function showReport({ ask, print, json }: CommandContext, id: string, options: Options): Promise<void> {
  const { sources, raw, ...facts } = await ask('report.incoming.show', { id });
  if (options.json) return json({ ...facts, sources, raw });
  print(table(['report', facts.id], Object.entries(facts).slice(1)));
  const rows = sources.map((row) => [
    row.messages,
    row.source,
    row.header_from,
    row.disposition,
    row.dkim,
    row.spf,
    row.detail,
  ]);
  if (rows.length > 0)
    print(`\n${table(['MESSAGES', 'SOURCE', 'FROM', 'DISPOSITION', 'DKIM', 'SPF', 'DETAIL'], rows)}`);
  if (raw !== null) print(`\n${raw}`);
}

function daily(command: Command): Command {
  return command.option('--day <date>', 'a day in UTC (default: the latest)');
}
