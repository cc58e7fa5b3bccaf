/**
 * Runs several `postern <args>` on a data folder, one after the other in one process: as the commands
 * themselves would, but what they load is loaded once. The commands stand in standard input as JSON;
 * the first that fails ends it with its exit code and its words.
 */
import { text } from 'node:stream/consumers';
import { EVENTS } from '../../../src/catalogue.ts';
import { tellEvents } from '../../../src/cli/offline-events.ts';
import { runCli } from '../../../src/cli/run.ts';
import { openCore } from '../../../src/core.ts';
import { VERSION } from '../../../src/version.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { systemConfigSource } from '../../../src/world/config.ts';
import { createEvents } from '../../../src/world/events.ts';

process.umask(0o077);
for (const args of JSON.parse(await text(process.stdin)) as string[][]) {
  const code = await runCli(args, {
    source: systemConfigSource(),
    version: VERSION,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    clock: systemClock,
    startNode: () => {
      throw new Error('no command that sets a folder up starts a node');
    },
    async openOffline(config) {
      const events = createEvents(EVENTS, systemClock.now, () => {});
      tellEvents(events, process.stderr);
      const core = await openCore(config, events);
      return { executeUnknown: core.operations.executeUnknown, close: core.close };
    },
  });
  if (code === 0) continue;
  process.stderr.write(`in postern ${args.join(' ')}\n`);
  process.exit(code);
}
