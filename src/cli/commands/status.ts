/** `postern status` */
import type { Register } from '../run.ts';
import { table } from '../table.ts';

export const status: Register = (program, { withSession }) => {
  program
    .command('status')
    .description('the node: version, listeners, queue')
    .option('--json', 'as JSON')
    .action(
      withSession(async ({ ask, print, json }, options: { json?: boolean }) => {
        const node = await ask('status', {});
        if (options.json) return json(node);
        const since = node.startedAt === undefined ? '' : ` since ${new Date(node.startedAt).toISOString()}`;
        print(
          table(
            ['node', node.hostname],
            [
              ['state', node.running ? `running${since}` : 'not running'],
              ['version', node.version],
              ['data', node.data],
              ...Object.entries(node.listeners).map(([name, address]) => [name, address]),
              ['queued', node.queue.queued],
              ['held', node.queue.held],
            ],
          ),
        );
      }),
    );
};
