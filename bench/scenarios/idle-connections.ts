/** What ten thousand clients cost that connect, greet, and then say nothing. */
import { groupMemory } from '../../test/system/support/process-memory.ts';
import { contestant } from '../contest.ts';
import { postern } from '../product/postern.ts';
import type { Bench, Outcome, Scenario } from '../scenario.ts';
import { openIdleClients } from '../tool/idle-clients.ts';

const CONNECTIONS = 10_000;
const MOST_BYTES_MORE = 400e6;
/** Garbage of the opening is collected meanwhile. */
const SETTLE_MS = 10_000;

export const idleConnections: Scenario = {
  name: 'idle-connections',
  what: 'memory that 10,000 idle plaintext connections add (Postfix would need a process for each)',
  run,
};

async function run(bench: Bench): Promise<Outcome> {
  await using ours = await contestant(bench, idleConnections.name, postern(bench.postern));
  const before = groupMemory(ours.product.pid).residentBytes;
  const startedAt = performance.now();
  const clients = await openIdleClients(ours.product, CONNECTIONS);
  const openedMs = performance.now() - startedAt;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const after = groupMemory(ours.product.pid).residentBytes;
  for (const client of clients) client.removeAllListeners().destroy();
  const more = after - before;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  return {
    table: [
      ['', 'before MB', 'with them MB', 'each kB', 'opened/s'],
      [
        'Postern',
        megabytes(before),
        megabytes(after),
        (more / CONNECTIONS / 1e3).toFixed(1),
        ((CONNECTIONS / openedMs) * 1000).toFixed(0),
      ],
    ],
    verdicts: [
      {
        promise: `at most ${megabytes(MOST_BYTES_MORE)} MB more`,
        measured: `${megabytes(more)} MB`,
        kept: more <= MOST_BYTES_MORE,
      },
    ],
    figures: { connections: CONNECTIONS, before, after, openedMs },
  };
}
