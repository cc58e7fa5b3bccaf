/**
 * `postern user set-state|app-password|certificate|send-as|import|export`: the credentials and grants of an account.
 */
import type { Command } from 'commander';
import { OperationalError } from '../../model/errors.ts';
import { armed, formatCsv, parseCsv } from '../../protocol/csv/csv.ts';
import { type CommandContext, readInput } from '../context.ts';
import { EXPECTS } from '../options.ts';
import { allPages } from '../pages.ts';
import type { CommandTools } from '../run.ts';
import { table } from '../table.ts';

const CERTIFICATE_BYTES = 100_000;
const CSV_BYTES = 10_000_000;
const COLUMNS = ['address', 'name', 'state', 'password'] as const;
const STATES = ['active', 'frozen', 'disabled'] as const;
type State = (typeof STATES)[number];

export function registerCredentials(command: Command, { withSession }: CommandTools): void {
  command
    .command('set-state <address> <state>')
    .description('active, frozen (receives, cannot sign in) or disabled (neither)')
    .option(...EXPECTS)
    .action(
      withSession(async ({ ask, print }, address: string, state: string, { expects }: { expects?: string }) => {
        const changed = await ask('user.set-state', { address, state: stateOf(state), expects });
        print(`${changed.address} is ${changed.state}`);
      }),
    );

  const app = command.command('app-password').description('passwords for one device or program each');
  app
    .command('add <address> <name>')
    .description('make one; it is shown once')
    .action(
      withSession(async ({ ask, print }, address: string, name: string) => {
        const made = await ask('user.app-password.add', { address, name });
        print(`the app password ${made.name} of ${made.address}, shown only now:\n${made.password}`);
      }),
    );
  app
    .command('list <address>')
    .description('list them by name')
    .action(
      withSession(async ({ ask, print }, address: string) => {
        const all = await ask('user.app-password.list', { address });
        print(
          table(
            ['NAME', 'MADE'],
            all.map(({ name, createdAt }) => [name, day(createdAt)]),
          ),
        );
      }),
    );
  app
    .command('remove <address> <name>')
    .description('revoke one')
    .action(
      withSession(async ({ ask, print }, address: string, name: string) => {
        await ask('user.app-password.remove', { address, name });
        print(`revoked the app password ${name}`);
      }),
    );

  const certificate = command.command('certificate').description('client certificates to sign in by (EXTERNAL)');
  certificate
    .command('add <address>')
    .description('add one, PEM on standard input')
    .action(
      withSession(async ({ ask, print, stdin }, address: string) => {
        const pem = await readInput(stdin, CERTIFICATE_BYTES);
        print(`added ${(await ask('user.certificate.add', { address, certificate: pem })).fingerprint}`);
      }),
    );
  certificate
    .command('list <address>')
    .description('list them by fingerprint')
    .action(
      withSession(async ({ ask, print }, address: string) => {
        const all = await ask('user.certificate.list', { address });
        print(
          table(
            ['SHA-256', 'ADDED'],
            all.map(({ fingerprint, createdAt }) => [fingerprint, day(createdAt)]),
          ),
        );
      }),
    );
  certificate
    .command('remove <address> <fingerprint>')
    .description('forget one')
    .action(
      withSession(async ({ ask, print }, address: string, fingerprint: string) => {
        await ask('user.certificate.remove', { address, fingerprint });
        print(`removed ${fingerprint}`);
      }),
    );

  const sendAs = command.command('send-as').description('whom an account may write as');
  sendAs
    .command('add <address> <sender>')
    .description('grant an address, or @domain for every address of it')
    .action(
      withSession(async ({ ask, print }, address: string, sender: string) => {
        const granted = await ask('user.send-as.add', { address, sender });
        print(`${granted.address} may write as ${granted.sender}`);
      }),
    );
  sendAs
    .command('list <address>')
    .description('list the grants')
    .action(
      withSession(async ({ ask, print }, address: string) => {
        print(
          table(
            ['SENDER'],
            (await ask('user.send-as.list', { address })).map((sender) => [sender]),
          ),
        );
      }),
    );
  sendAs
    .command('remove <address> <sender>')
    .description('take a grant away')
    .action(
      withSession(async ({ ask, print }, address: string, sender: string) => {
        const taken = await ask('user.send-as.remove', { address, sender });
        print(`${taken.address} may no longer write as ${taken.sender}`);
      }),
    );

  command
    .command('import')
    .description(
      'add accounts from CSV on standard input: a row of column names (address, name, state, password) first',
    )
    .action(
      withSession(async ({ ask, print, stdin }) => {
        const accounts = readAccounts(await readInput(stdin, CSV_BYTES));
        print(`added ${(await ask('user.import', { accounts })).added} accounts`);
      }),
    );
  command
    .command('export')
    .description('write accounts as CSV; no password leaves')
    .option('--domain <name>', 'of one domain only')
    .action(withSession((context, options: { domain?: string }) => exportAccounts(context, options.domain)));
}

async function exportAccounts({ ask, print }: CommandContext, domain: string | undefined): Promise<void> {
  const accounts = await allPages((page) => ask('user.list', { domain, ...page }));
  const rows = accounts.map(({ address, name, state }) => [address, name, state]);
  // Lines of a command end in LF; print makes other control characters visible.
  print(
    formatCsv([['address', 'name', 'state'], ...rows])
      .replaceAll('\r\n', '\n')
      .trimEnd(),
  );
}

function readAccounts(text: string) {
  const [header, ...rows] = parseCsv(text) ?? [];
  const columns = header?.map((name) => name.trim().toLowerCase()) ?? [];
  const unknown = columns.find((name) => !COLUMNS.some((known) => known === name));
  if (!columns.includes('address') || unknown !== undefined)
    throw new OperationalError(
      'cli.usage',
      `cannot import, as the first row must name columns among ${COLUMNS.join(', ')}, address at least: it is ${header?.join(',') || 'empty'}`,
    );
  return rows.map((row) => {
    const cell = (name: (typeof COLUMNS)[number]): string | undefined => row[columns.indexOf(name)] || undefined;
    const [address, state, password] = [armed(cell('address')?.trim() ?? ''), cell('state')?.trim(), cell('password')];
    // Blanks around a password belong to it.
    const name = armed(cell('name')?.trim() ?? '') || undefined;
    return {
      address,
      ...(name === undefined ? {} : { name }),
      ...(state ? { state: stateOf(state) } : {}),
      ...(password === undefined ? {} : { password }),
    };
  });
}

function stateOf(text: string): State {
  const state = STATES.find((known) => known === text);
  if (state) return state;
  throw new OperationalError(
    'cli.usage',
    `cannot set the state, as it must be one of ${STATES.join(', ')}: it is ${text}`,
  );
}

function day(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
