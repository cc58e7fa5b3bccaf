/**
 * What verification costs: a look-up among 100,000 accounts behind sources, warm; and how many unknown
 * users a second are decided while the source takes 50 ms for each, by the directory alone and by a
 * whole node that is asked over SMTP.
 *
 *     node bench/verification.ts [accounts] [unknown users]
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDirectoryAdmin } from '../src/directory/admin.ts';
import { createDirectory } from '../src/directory/directory.ts';
import { directoryMigrations } from '../src/directory/schema.ts';
import { createSourceAdmin } from '../src/directory/sources/admin.ts';
import { openSourceTable } from '../src/directory/sources/table.ts';
import { createVerification } from '../src/directory/sources/verification.ts';
import { formatMingerAnswer, parseMingerQuery } from '../src/protocol/minger/minger.ts';
import { makeAddress } from '../src/protocol/smtp/address.ts';
import type { PreparedChange } from '../src/store/contract.ts';
import { openStore } from '../src/store/open.ts';
import { outboxMigrations } from '../src/store/outbox.ts';
import { systemClock } from '../src/world/clock.ts';
import { systemRandom } from '../src/world/random.ts';
import { services } from '../test/directory/support/questions.ts';
import { settings } from '../test/screen/world.ts';
import { recordedEvents } from '../test/support/events.ts';
import { OPEN_SECRETS } from '../test/support/secrets.ts';
import { startNode } from '../test/system/support/node.ts';
import { groupCpuMs } from '../test/system/support/process-cpu.ts';
import { askRecipients } from './tool/recipient-asker.ts';

const ACCOUNTS = Number(process.argv[2] ?? 100_000);
const UNKNOWN = Number(process.argv[3] ?? 5_000);
const LOOKUPS = 500_000;
const ANSWER_MS = 50;
const ROWS_AT_ONCE = 5_000;
/** A connection waits for one answer after the other, so 50 of them can have 1,000 a second at the very most. */
const CONNECTIONS = [50, 100];

/** Answers after 50 ms: odd users exist. */
const source = createSocket('udp4');
source.on('message', (datagram, { port, address }) => {
  const query = parseMingerQuery(datagram.toString());
  if (!query) return;
  const status = /[13579]@/.test(query.mailbox) ? 'exists-active' : 'no-such-address';
  setTimeout(() => source.send(formatMingerAnswer(query.mailbox, status), port, address), ANSWER_MS);
});
source.bind(0, '127.0.0.1');
await once(source, 'listening');
const sourcePort = source.address().port;

const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'));
const [clock, random, events] = [systemClock, systemRandom, recordedEvents()];
const migrations = [...directoryMigrations, ...outboxMigrations];
const store = await openStore(folder, { clock, random, events, migrations, writer: 'thread' });
const { database } = store;
const values = settings();
const world = { ...services(clock), events, secrets: OPEN_SECRETS };
const known = createDirectory(database, { settings: values, ...world });
const table = await openSourceTable(database, world);
const { directory } = createVerification({
  ...world,
  database,
  directory: known,
  table,
  settings: values,
  random,
  pointsHere: async () => 'no',
  addDomain: async () => {},
});
const admin = createDirectoryAdmin(database, directory, clock);
const sourceAdmin = createSourceAdmin({ database, directory, table, secrets: OPEN_SECRETS, clock, random });
const make = async ({ statements, committed }: PreparedChange): Promise<void> => {
  await database.write(statements);
  committed();
  await table.settled();
};

try {
  await make(await admin.addDomain({ name: 'example.com' }));
  const options = { host: '127.0.0.1', port: sourcePort };
  await make((await sourceAdmin.add('minger', { options, domains: ['example.com'] })).change);
  await fill();
  lookUp();
  await decide();
  for (const connections of CONNECTIONS) await decideBySmtp(connections);
} finally {
  source.close();
  table.close();
  await store.close();
  rmSync(folder, { recursive: true });
}

async function fill(): Promise<void> {
  const sql = "INSERT INTO account (address, domain, state, created_at) VALUES (?, 'example.com', 'active', 0)";
  for (let first = 0; first < ACCOUNTS; first += ROWS_AT_ONCE) {
    const rows = Array.from({ length: Math.min(ROWS_AT_ONCE, ACCOUNTS - first) }, (_, i) => ({
      sql,
      parameters: [`user${first + i}@example.com`],
    }));
    await database.write(rows);
  }
}

/** Every account once, so that memory is warm; then at random. */
function lookUp(): void {
  for (let i = 0; i < ACCOUNTS; i++) directory.resolve(makeAddress(`user${i}`, 'example.com'));
  const microseconds = new Float64Array(LOOKUPS);
  for (let i = 0; i < LOOKUPS; i++) {
    const address = makeAddress(`user${random.below(ACCOUNTS)}`, 'example.com');
    const begun = performance.now();
    directory.resolve(address);
    microseconds[i] = (performance.now() - begun) * 1000;
  }
  microseconds.sort();
  const at = (part: number): string => microseconds[Math.floor(part * (LOOKUPS - 1))]!.toFixed(1);
  console.log(`look-up among ${ACCOUNTS} accounts: p50 ${at(0.5)} us, p99 ${at(0.99)} us, worst ${at(1)} us`);
}

async function decide(): Promise<void> {
  const begun = performance.now();
  const kinds = await Promise.all(Array.from({ length: UNKNOWN }, (_, i) => decided(i)));
  const seconds = (performance.now() - begun) / 1000;
  const made = kinds.filter((kind) => kind === 'local').length;
  const denied = kinds.filter((kind) => kind === 'unknown-user').length;
  console.log(
    `unknown users, the source answers in ${ANSWER_MS} ms: ${Math.round(UNKNOWN / seconds)} a second ` +
      `(${made} accounts made, ${denied} refused, ${UNKNOWN - made - denied} put off)`,
  );
}

/** RCPT after RCPT at a node in a process of its own; nothing of it is known, so the source is asked each time. */
async function decideBySmtp(connections: number): Promise<void> {
  await using ends = new AsyncDisposableStack();
  const node = await startNode(
    { after: (end) => ends.defer(end as () => Promise<void>) },
    {
      setup: [
        ['domain', 'add', 'example.com', '--server', '127.0.0.1:9'],
        // Who asks for so many is sent away otherwise, and has to connect again.
        ['settings', 'set', 'smtp.maxRefusedRecipients', '100000'],
        ['settings', 'set', 'smtp.maxIdleCommands', '10000'],
        ['source', 'add', 'minger', '--default', '--option', 'host=127.0.0.1', '--option', `port=${sourcePort}`],
      ],
    },
  );
  const server = { host: '127.0.0.1', port: node.port('mx') };
  const users = Array.from({ length: UNKNOWN }, (_, i) => `new${i}@example.com`).values();
  const [cpuMs, begun] = [groupCpuMs(node.process.pid!), performance.now()];
  const replies = await askRecipients(server, connections, users);
  const seconds = (performance.now() - begun) / 1000;
  const cpuUs = ((groupCpuMs(node.process.pid!) - cpuMs) * 1000) / UNKNOWN;
  console.log(
    `RCPT of unknown users over ${connections} connections: ${Math.round(UNKNOWN / seconds)} a second, ` +
      `${Math.round(cpuUs)} us of CPU each, all threads (replies ${JSON.stringify(replies)})`,
  );
  await node.stop();
}

async function decided(i: number): Promise<string> {
  // An even stream of 1,200 a second.
  await clock.sleep(i / 1.2);
  return (await directory.resolve(makeAddress(`new${i}`, 'example.com'))).kind;
}
