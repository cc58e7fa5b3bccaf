/**
 * Postern's entry: gives the command line what it needs to open a data folder and to run a node. core.ts, node.ts
 * and offline.ts assemble the rooms, and are loaded only when they are needed: most commands just ask a running node.
 */
import { runCli } from './cli/run.ts';
import { VERSION } from './version.ts';
import { systemClock } from './world/clock.ts';
import { systemConfigSource } from './world/config.ts';

// Every file written from here on is readable by its owner alone, including those that SQLite keeps beside a
// database.
process.umask(0o077);
// A reader may leave at any time (`| head`), and a full disk must not end a node: cli/output.ts reports what matters.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
process.exitCode = await runCli(process.argv.slice(2), {
  source: systemConfigSource(),
  version: VERSION,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  startNode: async (config, events) => (await import('./node.ts')).startNode(config, events),
  openOffline: async (config) => (await import('./offline.ts')).openOffline(config),
});
