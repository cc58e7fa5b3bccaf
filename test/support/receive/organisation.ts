/** An organisation with accounts, its submission listener, and clients that sign in to it. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { createDirectoryAdmin } from '../../../src/directory/admin.ts';
import { createDirectory } from '../../../src/directory/directory.ts';
import { directoryMigrations } from '../../../src/directory/schema.ts';
import { directorySettings } from '../../../src/directory/settings.ts';
import { passwordSettings } from '../../../src/directory/sign-in/settings.ts';
import { clientFinal } from '../../../src/protocol/sasl/scram.ts';
import { createSettings } from '../../../src/settings/registry.ts';
import { settingsMigrations } from '../../../src/settings/schema.ts';
import type { PreparedChange } from '../../../src/store/contract.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { credentialsOver } from '../credentials.ts';
import { memoryDatabase } from '../database.ts';
import { type Client, dialogue } from '../dialogue.ts';
import { recordedEvents } from '../events.ts';
import { startReceiver, type TestReceiverOptions } from './services.ts';

export const PASSWORD = 'correct horse battery';
export const NO_FLOOR = { 'smtp.authFailureFloorMs': 0 };

/** alice has a password and, the domain being so set, a SCRAM verifier; frank is frozen. */
export async function organisation(t: TestContext) {
  const database = await memoryDatabase(t, ...settingsMigrations, ...directoryMigrations);
  const definitions = [...Object.values(directorySettings), ...Object.values(passwordSettings)];
  const settings = await createSettings(database, definitions, { clock: systemClock, events: recordedEvents() });
  const resolveHost = async () => ({ kind: 'none', ttlSeconds: 60 }) as const;
  const directory = createDirectory(database, { settings, clock: systemClock, resolveHost });
  const accounts = createDirectoryAdmin(database, directory, systemClock);
  const { credentials, admin, close } = await credentialsOver(database, { settings });
  t.after(close);
  const make = async (change: PreparedChange | Promise<PreparedChange>): Promise<void> => {
    const { statements, committed } = await change;
    await database.write(statements);
    committed();
  };
  await make(accounts.addDomain({ name: 'example.com' }));
  await settings.change([{ key: 'passwords.scram', owner: { domain: 'example.com' }, value: true }], 'test');
  for (const address of ['alice@example.com', 'frank@example.com']) {
    await make(accounts.addAccount({ address }));
    await make(admin.setPassword(address, PASSWORD, address.startsWith('alice')));
  }
  await make(admin.setState('frank@example.com', 'frozen'));
  return { credentials, admin, make };
}

export type Organisation = Awaited<ReturnType<typeof organisation>>;

export function listen(
  t: TestContext,
  { credentials }: Pick<Organisation, 'credentials'>,
  options: TestReceiverOptions = {},
) {
  return startReceiver(t, { profile: 'submission', credentials, settings: NO_FLOOR, ...options });
}

export const plain = (username: string, password = PASSWORD): string =>
  Buffer.from(`\0${username}\0${password}`).toString('base64');
export const base64 = (text: string): string => Buffer.from(text).toString('base64');

export async function secured(node: { port: number }): Promise<Client> {
  return dialogue(
    { port: node.port },
    `
    S: 220
    C: EHLO client.example
    S: 250
    C: STARTTLS
    S: 220
    -- TLS
    C: EHLO client.example
    S: 250 .. AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN CRAM-MD5
  `,
  );
}

export async function scram(
  client: Client,
  username: string,
  plus: boolean,
  flag = 'n',
  password = PASSWORD,
): Promise<number> {
  const gs2Header = plus ? 'p=tls-exporter,,' : `${flag},,`;
  const bare = `n=${username},r=clientnonce`;
  await client.say(`AUTH SCRAM-SHA-256${plus ? '-PLUS' : ''} ${base64(gs2Header + bare)}\r\n`);
  const first = await client.hear();
  if (first.code !== 334) return first.code;
  const channel = plus
    ? (client.socket() as TLSSocket).exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
    : Buffer.alloc(0);
  const final = clientFinal(
    password,
    { bare, gs2Header },
    Buffer.from(String(first.text), 'base64').toString(),
    channel,
  )!;
  await client.say(`${base64(final.message)}\r\n`);
  const proof = await client.hear();
  if (proof.code !== 334) return proof.code;
  assert.equal(Buffer.from(String(proof.text), 'base64').toString(), final.expected);
  await client.say('\r\n');
  return (await client.hear()).code;
}
