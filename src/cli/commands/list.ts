/** `postern list add|remove|show|import|export` */
import { InvalidArgumentError } from 'commander';
import { IMPORT_BYTES } from '../../directory/rules/limits.ts';
import type { ListKind, ListName } from '../../directory/rules/schema.ts';
import { readText, writeText } from '../files.ts';
import { FORCE } from '../options.ts';
import { allPages } from '../pages.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';

interface Options {
  readonly kind?: ListKind;
  readonly owner?: string;
  readonly comment?: string;
  readonly expires?: string;
  readonly allowLocal?: boolean;
  readonly force?: boolean;
  readonly list?: ListName;
  readonly output?: string;
  readonly json?: boolean;
}

const PAGE = 500;
const OWNER = ['--owner <name>', "whose list: a domain's or an account's; everybody's if left out"] as const;
const NAME = ['<allow|block>', 'which list', nameOf] as const;
const ANY_NAME = ['[allow|block]', 'which list; both if left out', nameOf] as const;
const KIND = ['--kind <kind>', 'address, host or ip; told from the entry where it can be', kindOf] as const;

export const list: Register = (program, { withSession }) => {
  const command = program.command('list').description('allow and block lists: senders that pass, or do not');

  command
    .command('add')
    .argument(...NAME)
    .argument('<entry>', 'an address, a host or a network')
    .description('add an address, host or network')
    .option(...KIND)
    .option(...OWNER)
    .option('--comment <text>', 'why')
    .option('--expires <date>', 'until when it counts')
    .option('--allow-local', 'take an allow entry that covers local addresses: whoever forges one passes')
    .option(...FORCE)
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, name: ListName, value: string, options: Options) => {
        const { kind, owner, comment, expires, allowLocal, force } = options;
        const added = await ask('list.add', { list: name, value, kind, owner, comment, expires, allowLocal, force });
        if (options.json) return json(added);
        print(`added the ${added.kind} ${added.value} to the ${added.list} list`);
        if (added.coversLocal) print('Risk: it covers local addresses, and whoever forges one passes.');
      }),
    );

  command
    .command('remove')
    .argument(...NAME)
    .argument('<entry>', 'as it was added')
    .description('remove an entry')
    .option(...KIND)
    .option(...OWNER)
    .action(
      withSession(async ({ ask, print }, name: ListName, value: string, { kind, owner }: Options) => {
        const removed = await ask('list.remove', { list: name, value, kind, owner });
        print(`removed the ${removed.kind} ${removed.value} from the ${removed.list} list`);
      }),
    );

  command
    .command('show')
    .argument(...ANY_NAME)
    .description('show the entries')
    .option(...OWNER)
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, name: ListName | undefined, { owner, json: asJson }: Options) => {
        const which = { list: name, owner };
        const entries = await allPages((page) => ask('list.show', { ...which, ...page }), PAGE);
        if (asJson) return json(entries);
        const rows = entries.map(({ list, kind, value, owner, expires, coversLocal, comment }) => [
          list,
          kind,
          value,
          owner || 'everybody',
          expires ?? '',
          coversLocal ? 'covers local addresses' : '',
          comment,
        ]);
        print(table(['LIST', 'KIND', 'ENTRY', 'OWNER', 'EXPIRES', 'RISK', 'COMMENT'], rows));
      }),
    );

  command
    .command('import <file>')
    .description('add the rows of a CSV (- for standard input); its first line names the columns')
    .option('--list <name>', 'allow or block, for rows that do not say', nameOf)
    .option(...KIND)
    .option(...OWNER)
    .option('--allow-local', 'take allow entries that cover local addresses: whoever forges one passes')
    .option(...FORCE)
    .action(
      withSession(async ({ ask, print, stdin }, file: string, { list, kind, owner, allowLocal, force }: Options) => {
        const csv = await readText(file, stdin, IMPORT_BYTES);
        const { count } = await ask('list.import', { csv, list, kind, owner, allowLocal, force });
        print(`imported ${count} entries`);
      }),
    );

  command
    .command('export')
    .argument(...ANY_NAME)
    .description('write the entries as CSV')
    .option(...OWNER)
    .option('--output <file>', 'where to; standard output if left out')
    .action(
      withSession(async ({ ask, print }, name: ListName | undefined, { owner, output }: Options) => {
        const which = { list: name, owner };
        const { csv, count } = await ask('list.export', which);
        if (output === undefined) return print(csv.replaceAll('\r\n', '\n').trimEnd());
        await writeText(output, csv);
        print(`wrote ${count} entries to ${output}`);
      }),
    );
};

function nameOf(text: string): ListName {
  if (text === 'allow' || text === 'block') return text;
  throw new InvalidArgumentError('It must be allow or block.');
}

function kindOf(text: string): ListKind {
  if (text === 'address' || text === 'host' || text === 'ip') return text;
  throw new InvalidArgumentError('It must be address, host or ip.');
}
