/**
 * What a message costs the queue: commit, claim, settle and purge of 10 kB messages from 20
 * concurrent committers, with a dispatcher that delivers at once.
 *
 *     node bench/queue.ts [--messages 40000] [--writer thread|loop] [--backlog rows] [--slow]
 *
 * `--slow` lets the dispatcher have no room at first, so that every message goes through the table.
 * For a slow disk, run it under `strace -f -e trace=fsync,fdatasync -e inject=fsync,fdatasync:delay_exit=10000`.
 */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EVENTS } from '../src/catalogue.ts';
import type { Claim } from '../src/queue/contract.ts';
import { openQueue } from '../src/queue/open.ts';
import { queueMigrations } from '../src/queue/rows/migrations.ts';
import { rowContent } from '../src/store/blobs/memory-content.ts';
import { openStore } from '../src/store/open.ts';
import { systemClock } from '../src/world/clock.ts';
import { createEvents } from '../src/world/events.ts';
import { systemRandom } from '../src/world/random.ts';
import { address, recipient, relayed, testDirectory, testJournal, testSettings } from '../test/queue/support/queue.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '40000' },
    writer: { type: 'string', default: 'thread' },
    committers: { type: 'string', default: '20' },
    slow: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);
const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'));
const events = createEvents(EVENTS, Date.now, console.error);
events.attach((name, fields) => console.log(name, fields));
const store = await openStore(folder, {
  clock: systemClock,
  random: systemRandom,
  events,
  migrations: queueMigrations,
  writer: values.writer as 'thread' | 'loop',
});
const queue = await openQueue({
  database: store.database,
  blobs: store.blobs,
  ledger: store.ledger,
  journal: testJournal(),
  settings: testSettings(),
  directory: testDirectory,
  clock: systemClock,
  random: systemRandom,
  events,
  hostname: 'mx.local.example',
});

const body = randomBytes(10_000);
const to = recipient('alice@local.example');
const from = address('bob@sender.example');
const trace = `Received: from client.example (client.example [192.0.2.1])\r\n\tby mx.local.example with ESMTP;\r\n\tMon, 5 Jan 2026 00:00:00 +0000\r\n`;
const trail = {
  subject: 'hello',
  evidence: { size: { sizeBytes: 10_000 } },
  findings: [],
  dialogue: 'C: DATA\r\n'.repeat(12),
};

let room = values.slow ? 0 : 100_000;
let settled = 0;
let allSettled: () => void = () => undefined;
const settle = async (claim: Claim): Promise<void> => {
  queue.destinationSucceeded(claim.destination);
  await queue.settle(claim, [relayed(claim.recipients[0]!.row)]);
  if (++settled === goal) allSettled();
};
let goal = 0;
queue.attach({ room: () => room, take: (claim) => void settle(claim), stop: () => false, forgetFailures: () => {} });

async function run(count: number): Promise<void> {
  settled = 0;
  goal = count;
  const done = new Promise<void>((resolve) => {
    allSettled = resolve;
  });
  let left = count;
  const committer = async (): Promise<void> => {
    while (left-- > 0) {
      await queue.commit({
        id: queue.newId(),
        reversePath: from,
        body: '8BITMIME',
        smtputf8: false,
        receivedAt: Date.now(),
        content: rowContent(body),
        trace,
        detail: trail,
        recipients: [to],
      });
    }
  };
  await Promise.all(Array.from({ length: Number(values.committers) }, committer));
  if (room === 0) {
    room = 100_000;
    queue.wake();
  }
  await done;
}

if (!values.slow) await run(Math.min(5000, messages));
const main = process.threadCpuUsage();
const whole = process.cpuUsage();
const startedAt = performance.now();
await run(messages);
const tookMs = performance.now() - startedAt;
const { user, system } = process.threadCpuUsage(main);
const every = process.cpuUsage(whole);
const mainUs = (user + system) / messages;
const wholeUs = (every.user + every.system) / messages;
console.log(
  `${values.writer}${values.slow ? ' through the table' : ''}: ${Math.round((messages / tookMs) * 1000)} msg/s, ` +
    `main thread ${mainUs.toFixed(1)} us, other threads ${(wholeUs - mainUs).toFixed(1)} us a message, ` +
    `database ${(statSync(join(folder, 'state.db')).size / 1e6).toFixed(1)} MB`,
);
await queue.close();
await store.close();
rmSync(folder, { recursive: true });
