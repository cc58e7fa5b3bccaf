/** `postern source add|edit|remove|list|assign|test` */
import { InvalidArgumentError } from 'commander';
import { SOURCE_KINDS, type SourceKind } from '../../directory/sources/definition.ts';
import { formatSocketAddress } from '../../world/config.ts';
import { readPassword } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { collect, wholeNumber } from '../options.ts';
import type { Register } from '../run.ts';
import { table } from '../table.ts';
import { explained, verdictOf } from '../verification-report.ts';

interface DraftOptions {
  readonly option?: SourceOptions;
  readonly secret?: boolean;
  readonly default?: boolean;
  readonly domain?: readonly string[];
  readonly description?: string;
  readonly json?: boolean;
}

type SourceOptions = Readonly<Record<string, string | number | boolean>>;

const ID = ['<id>', 'as `source list` shows it', wholeNumber] as const;

export const source: Register = (program, { withSession, exitWith }) => {
  const command = program
    .command('source')
    .description('verification sources: who knows which users exist, and their passwords');

  command
    .command('add')
    .argument('<kind>', 'what it speaks', sourceKind)
    .description(`add a source: ${SOURCE_KINDS.join(', ')}`)
    .option(
      '--option <name=value>',
      'host=dc1.example.com, base=dc=example,dc=com; may be given several times',
      collectOption,
    )
    .option('--secret', 'read the password, shared secret or client secret from standard input')
    .option('--domain <name>', 'a domain it is asked about; may be given several times', collect)
    .option('--default', 'it is asked about domains that have no source of their own')
    .option('--description <text>', 'what it is')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json, stdin }, kind: SourceKind, options: DraftOptions) => {
        const added = await ask('source.add', {
          kind,
          options: options.option ?? {},
          secret: options.secret ? await readPassword(stdin) : undefined,
          domains: options.domain ? [...options.domain] : undefined,
          isDefault: options.default,
          description: options.description,
        });
        if (options.json) return json(added);
        print(`added the source ${added.id}`);
      }),
    );

  command
    .command('edit')
    .argument(...ID)
    .description('change a source; what is not given stays')
    .option('--option <name=value>', 'may be given several times', collectOption)
    .option('--secret', 'read another secret from standard input; an empty line takes it away')
    .option('--default', 'it is asked about domains that have no source of their own')
    .option('--no-default', 'it is not')
    .option('--description <text>', 'what it is')
    .action(
      withSession(async ({ ask, print, stdin }, id: number, options: DraftOptions) => {
        const edited = await ask('source.edit', {
          id,
          options: options.option ?? {},
          secret: options.secret ? await readPassword(stdin) : undefined,
          isDefault: options.default,
          description: options.description,
        });
        print(`changed the source ${edited.id}`);
      }),
    );

  command
    .command('remove')
    .argument(...ID)
    .description('remove a source; users whom it confirmed stay')
    .action(
      withSession(async ({ ask, print }, id: number) => {
        print(`removed the source ${(await ask('source.remove', { id })).id}`);
      }),
    );

  command
    .command('assign')
    .argument('<domain>', 'a local one')
    .argument('[ids...]', 'as `source list` shows them', collectNumber)
    .description('say which sources a domain has, in order; none: the default ones')
    .action(
      withSession(async ({ ask, print }, domain: string, ids: readonly number[]) => {
        await ask('source.assign', { domain, ids: [...ids] });
        print(ids.length > 0 ? `${domain} has the sources ${ids.join(', ')}` : `${domain} has the default sources`);
      }),
    );

  command
    .command('list')
    .description('list the sources')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, options: { json?: boolean }) => {
        const sources = await ask('source.list', {});
        if (options.json) return json(sources);
        const rows = sources.map(({ id, kind, options: given, isDefault, hasSecret, domains, description }) => [
          id,
          kind,
          given['host'] === undefined ? given['tenant'] : whereOf(given),
          hasSecret ? 'yes' : 'no',
          isDefault ? 'yes' : 'no',
          domains,
          description,
        ]);
        print(table(['ID', 'KIND', 'WHERE', 'SECRET', 'DEFAULT', 'DOMAINS', 'DESCRIPTION'], rows));
      }),
    );

  command
    .command('test')
    .argument(...ID)
    .argument('<address>', 'whom to ask about')
    .description('ask one source about an address, and about one that nobody has; exits 1 if it confirms anybody')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, id: number, address: string, options: { json?: boolean }) => {
        const tried = await ask('source.test', { id, address });
        if (options.json) json(tried);
        else {
          print(verdictOf(tried.answer));
          print(explained(tried.answer.asked));
          if (tried.confirmsAnybody)
            print('It also confirms a user made up at random: a catch-all or an open relay, and no good source.');
        }
        if (tried.confirmsAnybody) exitWith(EXIT.wrong);
        else if (tried.answer.answer === 'cannot-tell') exitWith(EXIT.again);
      }),
    );
};

function sourceKind(text: string): SourceKind {
  const kind = SOURCE_KINDS.find((known) => known === text);
  if (kind) return kind;
  throw new InvalidArgumentError(`It must be one of ${SOURCE_KINDS.join(', ')}.`);
}

function whereOf({ host, port }: Readonly<Record<string, unknown>>): string {
  return port === undefined ? String(host) : formatSocketAddress({ address: String(host), port: Number(port) });
}

/** `port=636` is a number and `excludeDisabled=true` a flag; other values are text. */
function collectOption(pair: string, before: SourceOptions = {}): SourceOptions {
  const at = pair.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be name=value.');
  const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
  if (/[pP]ort$/.test(name)) return { ...before, [name]: wholeNumber(value) };
  return { ...before, [name]: value === 'true' ? true : value === 'false' ? false : value };
}

function collectNumber(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, wholeNumber(text)];
}
