/** `postern replay --since 7d --set spf.action=quarantine` */
import { InvalidArgumentError } from 'commander';
import type { OperationOutput } from '../../operations/index.ts';
import { collect, FORCE, pointInTime } from '../options.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';

interface Options {
  readonly since: number;
  readonly until?: number;
  readonly set?: readonly string[];
  readonly domain?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

type Report = OperationOutput<'replay.run'>;

const WHY: Readonly<Record<keyof Report['why'], string>> = {
  version: 'logged by an older version',
  cut: 'refused with many others: what was seen of them was not kept',
  'not-observed': 'a check that would be made was not made then, or failed',
  looking: 'the settings would have had something else looked up',
  'look-ups': 'the node was short of DNS look-ups',
};

export const replay: Register = (program, { withSession, clock }) => {
  const time = (text: string): number => pointInTime(text, clock.now());
  program
    .command('replay')
    .description('show what other settings would have made of past mail')
    .requiredOption('--since <time>', 'a date, a time, or how long ago (2h, 7d)', time)
    .option('--until <time>', 'the same', time)
    .option('--set <key=value>', 'a setting to try; may be given several times', collectSetting)
    .option('--domain <domain>', 'try it for this domain, on its mail alone')
    .option(...FORCE)
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, { set = [], json: asJson, ...options }: Options) => {
        const report = await ask('replay.run', { ...options, set: set.map(readSetting) });
        if (asJson) return json(report);
        print(summary(report));
        if (report.changed.length > 0) print(`\n${changes(report)}`);
      }),
    );
};

/** A malformed one is refused before anything is opened. */
function collectSetting(text: string, before?: readonly string[]): readonly string[] {
  if (text.indexOf('=') > 0) return collect(text, before);
  throw new InvalidArgumentError('It must be a setting and a value, such as spf.action=quarantine.');
}

function readSetting(text: string): { readonly key: string; readonly value: string } {
  const equals = text.indexOf('=');
  return { key: text.slice(0, equals).trim(), value: text.slice(equals + 1) };
}

function summary({ messages, unknown, why, changedRecipients, more }: Report): string {
  const lines = [
    `${messages} ${messages === 1 ? 'message' : 'messages'} judged again, ${changedRecipients} ${changedRecipients === 1 ? 'recipient' : 'recipients'} changed, unknown for ${unknown} of ${messages}`,
    ...Object.entries(why).map(([reason, count]) => `  unknown for ${count}: ${WHY[reason as keyof Report['why']]}`),
  ];
  if (more) lines.push('older messages were not read: narrow the time with --since and --until');
  return lines.join('\n');
}

function changes({ changed, changedRecipients }: Report): string {
  const counts = new Map<string, number>();
  for (const { was, would, check, code } of changed) {
    const kind = JSON.stringify([was, would, check, code]);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const kinds = [...counts].sort(([, a], [, b]) => b - a).map(([kind, count]) => [count, ...JSON.parse(kind)]);
  const rows = changed.map(({ id, recipient, was, would, check, code, atLeast }) => [
    id,
    recipient,
    was,
    atLeast ? `at least ${would}` : would,
    check,
    code,
  ]);
  const rest = changedRecipients - changed.length;
  return [
    table(['COUNT', 'WAS', 'WOULD', 'CHECK', 'CODE'], kinds),
    '',
    table(['ID', 'RECIPIENT', 'WAS', 'WOULD', 'CHECK', 'CODE'], rows),
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ].join('\n');
}
