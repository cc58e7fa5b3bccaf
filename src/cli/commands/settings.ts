/** `postern settings list|get|set|reset|diff|export|import|history|undo` */
import type { Command } from 'commander';
import type { OperationOutput } from '../../operations/index.ts';
import { readText, writeText } from '../files.ts';
import { EXPECTS, FORCE, wholeNumber } from '../options.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';

interface Options {
  readonly domain?: string;
  readonly account?: string;
  readonly changed?: boolean;
  readonly replace?: boolean;
  readonly force?: boolean;
  readonly comment?: string;
  readonly expects?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly json?: boolean;
}

const COMMENT = ['--comment <text>', 'why, for the history'] as const;

const ORIGIN: Readonly<Record<OperationOutput<'settings.get'>['from'], (of: Options) => string>> = {
  account: ({ account }) => `Set for ${account}.`,
  domain: ({ domain, account }) => `Set for ${domain ?? account?.slice(account.lastIndexOf('@') + 1)}.`,
  node: () => 'Set for the whole node.',
  default: () => 'This is the default.',
};

/** The same as the registry's bound on a file. */
const FILE_BYTES = 32 * 1024 * 1024;

export const settings: Register = (program, { withSession, stderr }) => {
  const command = program.command('settings').description('everything that can be changed while the node runs');

  owned(command.command('list [prefix]').description('list settings, all or those whose key begins so'))
    .option('--changed', 'only those that were set')
    .action(
      withSession(async ({ ask, print, json }, prefix: string | undefined, options: Options) => {
        const list = await ask('settings.list', { ...ownerOf(options), prefix, changed: options.changed });
        if (options.json) return json(list);
        const rows = list.map(({ key, text, set, state }) => [
          key,
          text,
          state === 'valid' ? (set ? 'set' : '') : state,
        ]);
        print(table(['KEY', 'VALUE', 'STATE'], rows));
      }),
    );

  owned(command.command('get <key>').description('show one setting')).action(
    withSession(async ({ ask, print, json }, key: string, options: Options) => {
      const { manual, must, scope, ...setting } = await ask('settings.get', { ...ownerOf(options), key });
      if (options.json) return json({ ...setting, must, scope });
      const origin = ORIGIN[setting.from](options);
      print(`${setting.key} = ${setting.text || '(empty)'}\n\n${manual}\n\nIt ${must}. ${origin}`);
    }),
  );

  owned(command.command('set <key> <value>').description('set one setting'))
    .option(...FORCE)
    .option(...COMMENT)
    .option(...EXPECTS)
    // `-1` is a value to be refused with its error, not an option.
    .allowUnknownOption()
    .action(
      withSession(async ({ ask, print, json }, key: string, value: string, options: Options) => {
        await ask('settings.set', {
          ...ownerOf(options),
          key,
          value,
          force: options.force,
          comment: options.comment,
          expects: options.expects,
        });
        const setting = await ask('settings.get', { ...ownerOf(options), key });
        if (options.json) return json({ key, value: setting.value });
        print(`${key} = ${setting.text || '(empty)'}`);
      }),
    );

  owned(command.command('reset <keys...>').description('back to what is inherited, or to the default'))
    .option(...COMMENT)
    .action(
      withSession(async ({ ask, print, json }, keys: string[], options: Options) => {
        const reset = await ask('settings.reset', { ...ownerOf(options), keys, comment: options.comment });
        if (options.json) return json(reset);
        print(`reset ${reset.keys.join(', ')}`);
      }),
    );

  command
    .command('diff [file]')
    .description('show what differs from the defaults, or from a file (- for standard input)')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json, stdin }, file: string | undefined, options: Options) => {
        const list = await ask('settings.diff', {
          file: file === undefined ? undefined : await readText(file, stdin, FILE_BYTES),
        });
        if (options.json) return json(list);
        const rows = list.map(({ key, owner, currentText, otherText }) => [
          key,
          owner.account ?? owner.domain ?? 'the node',
          currentText ?? '(not set)',
          otherText ?? '(not set)',
        ]);
        print(table(['KEY', 'FOR', 'HERE', file === undefined ? 'DEFAULT' : 'FILE'], rows));
      }),
    );

  command
    .command('export [file]')
    .description('write all that was set as YAML')
    .action(
      withSession(async ({ ask, print }, file?: string) => {
        const { yaml } = await ask('settings.export', {});
        if (file === undefined || file === '-') return print(yaml.trimEnd());
        await writeText(file, yaml);
      }),
    );

  command
    .command('import <file>')
    .description('take a YAML file (- for standard input) as one change')
    .option('--replace', 'reset what is not in the file')
    .option(...FORCE)
    .option(...COMMENT)
    .action(
      withSession(async ({ ask, print, stdin }, file: string, options: Options) => {
        const { changed } = await ask('settings.import', {
          file: await readText(file, stdin, FILE_BYTES),
          replace: options.replace,
          force: options.force,
          comment: options.comment,
        });
        print(`imported ${changed} values`);
      }),
    );

  owned(command.command('history [key]').description('who changed which value from what to what, newest first'))
    .option('--limit <number>', 'how many (100)', wholeNumber)
    .option('--cursor <text>', 'the next page, as the one before told')
    .action(
      withSession(async ({ ask, print, json }, key: string | undefined, options: Options) => {
        const { limit = 100, cursor } = options;
        const { rows, next } = await ask('settings.history', { ...ownerOf(options), key, limit, after: cursor });
        if (options.json) json(rows);
        else
          print(
            table(
              ['REVISION', 'TIME', 'BY', 'KEY', 'FOR', 'BEFORE', 'AFTER', 'COMMENT'],
              rows.map(({ revision, time, by, key: of, owner, secret, beforeText, afterText, comment }) => [
                revision,
                time,
                by,
                of,
                owner.account ?? owner.domain ?? 'the node',
                secret ? '(secret)' : (beforeText ?? '(not set)'),
                secret ? '(secret)' : (afterText ?? '(not set)'),
                comment,
              ]),
            ),
          );
        if (next !== undefined) stderr.write(`there is more: --cursor ${next}\n`);
      }),
    );

  command
    .command('undo')
    .argument('<revision>', 'as `settings history` shows it', wholeNumber)
    .description('bring back the values before a change, unless they changed since')
    .option('--force', 'also if they changed since')
    .option(...COMMENT)
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, revision: number, { force, comment, json: asJson }: Options) => {
        const undone = await ask('settings.undo', { revision, force, comment });
        if (asJson) return json(undone);
        print(`undid revision ${revision}: ${undone.keys.join(', ')}`);
      }),
    );
};

function owned(command: Command): Command {
  return command
    .option('--domain <name>', 'for one domain')
    .option('--account <address>', 'for one account')
    .option('--json', 'as JSON');
}

function ownerOf({ domain, account }: Options): Pick<Options, 'domain' | 'account'> {
  return { domain, account };
}
