/**
 * `postern server set-credentials|clear-credentials|credentials`: credentials of this node. Secrets come by standard
 * input.
 */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { OperationalError } from '../../model/errors.ts';
import { formatSocketAddress } from '../../world/config.ts';
import { readPassword } from '../context.ts';
import { collect } from '../options.ts';
import type { CommandTools } from '../run.ts';
import { table } from '../table.ts';

interface SetOptions {
  readonly user: string;
  readonly token?: boolean;
  readonly pin?: readonly string[];
  readonly authority?: string;
  readonly implicitTls?: boolean;
  readonly json?: boolean;
}

export function registerServerCredentials(command: Command, { withSession }: CommandTools): void {
  command
    .command('set-credentials <server>')
    .description('sign in to a mail server: its id, its host:port, or smart-host')
    .requiredOption('--user <name>', 'whom to sign in as')
    .option('--password-stdin', 'said for clearness; it is always read from there')
    .option('--token', 'what is read is an access token (XOAUTH2), not a password')
    .option('--pin <sha256>', "its public key's SHA-256 in base64, in place of its certificate; several times", collect)
    .option('--authority <file>', "the certificate (PEM) that signed the server's, or the server's own")
    .option('--implicit-tls', 'TLS from the first octet, as on port 465, in place of STARTTLS')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json, stdin }, server: string, options: SetOptions) => {
        const set = await ask('server.set-credentials', {
          server,
          user: options.user,
          secret: await readPassword(stdin),
          kind: options.token ? 'token' : 'password',
          pins: options.pin ? [...options.pin] : undefined,
          authority: options.authority === undefined ? undefined : await readPem(options.authority),
          implicitTls: options.implicitTls,
        });
        if (options.json) return json(set);
        print(`signs in to ${set.server} as ${set.user}`);
        if (set.use === 'none') print('No mail goes to this server yet: add it, or make it the smart host.');
      }),
    );

  command
    .command('clear-credentials <server>')
    .description('sign in there no longer')
    .action(
      withSession(async ({ ask, print }, server: string) => {
        print(`signs in to ${(await ask('server.clear-credentials', { server })).server} no longer`);
      }),
    );

  command
    .command('credentials')
    .description('list where this node signs in, and as whom')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, options: { json?: boolean }) => {
        const all = await ask('server.credentials', {});
        if (options.json) return json(all);
        const rows = all.map(({ host, port, user, kind, use, pins, ownAuthority, implicitTls, usable }) => [
          formatSocketAddress({ address: host, port }),
          use,
          user,
          usable ? kind : `${kind}, which cannot be opened: set it again`,
          pins.length > 0 ? 'pinned key' : ownAuthority ? 'own authority' : 'public authorities',
          implicitTls ? 'implicit' : 'STARTTLS',
        ]);
        print(table(['SERVER', 'USE', 'USER', 'BY', 'PROVEN BY', 'TLS'], rows));
      }),
    );
}

const PEM_BYTES = 100_000;

async function readPem(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).slice(0, PEM_BYTES);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw new OperationalError('cli.unreadable', `cannot read ${path}, as it must be a readable file: ${code}`, {
      cause,
    });
  }
}
