/**
 * A process that commits and delivers as fast as it can, until it is killed. Its output is its
 * journal: what is committed, and what is settled (also of the process before it).
 */

import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { EVENTS } from '../../../src/catalogue.ts';
import type { Claim } from '../../../src/queue/contract.ts';
import { openQueue } from '../../../src/queue/open.ts';
import { queueMigrations } from '../../../src/queue/rows/migrations.ts';
import { rowContent } from '../../../src/store/blobs/memory-content.ts';
import { openStore } from '../../../src/store/open.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { createEvents } from '../../../src/world/events.ts';
import { systemRandom } from '../../../src/world/random.ts';
import { address, recipient, relayed, testDirectory, testJournal, testSettings } from './queue.ts';

const say = (what: string, id: string): void => void writeSync(1, `${what} ${id}\n`);
const journal = testJournal();
const { recipient: record } = journal;
journal.recipient = (row) => {
  say('settled', 'message' in row ? row.message : row[1]);
  return record(row);
};
const events = createEvents(EVENTS, Date.now, console.error);
const world = { clock: systemClock, random: systemRandom, events };
const store = await openStore(process.argv[2]!, { ...world, migrations: queueMigrations });
const queue = await openQueue({
  ...world,
  database: store.database,
  blobs: store.blobs,
  ledger: store.ledger,
  journal,
  settings: testSettings(),
  directory: testDirectory,
  hostname: 'mx.local.example',
});

async function deliver(claim: Claim): Promise<void> {
  // Every other one stays where it is.
  if (claim.message.id.charCodeAt(10) % 2 === 0) return;
  await queue.settle(claim, [relayed(claim.recipients[0]!.row)]);
}

queue.attach({ room: () => 1, take: (claim) => void deliver(claim), stop: () => false, forgetFailures: () => {} });

async function commit(): Promise<never> {
  for (;;) {
    const bytes = randomBytes(5000);
    const id = queue.newId();
    await queue.commit({
      id,
      reversePath: address('bob@sender.example'),
      body: '8BITMIME',
      smtputf8: false,
      receivedAt: Date.now(),
      content: rowContent(bytes),
      trace: '',
      detail: { evidence: {}, findings: [] },
      recipients: [recipient('alice@x.example')],
    });
    say('committed', id);
  }
}

await Promise.all(Array.from({ length: 10 }, commit));
