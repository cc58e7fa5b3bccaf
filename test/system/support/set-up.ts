/**
 * Runs several `postern <args>` on a data folder, one after the other in one process: as the commands
 * themselves would, but what they load is loaded once. The commands stand in standard input as JSON;
 * the first that fails ends it with its exit code and its words.
 */
import { text } from 'node:stream/consumers';
import { runCli } from '../../../src/cli/run.ts';
import { openOffline } from '../../../src/offline.ts';
import { VERSION } from '../../../src/version.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { systemConfigSource } from '../../../src/world/config.ts';

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
    openOffline,
  });
  if (code === 0) continue;
  process.stderr.write(`in postern ${args.join(' ')}\n`);
  process.exit(code);
}
