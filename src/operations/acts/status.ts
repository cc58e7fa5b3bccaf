/** The node as a whole. */
import { question } from '../define.ts';

export const statusOperations = {
  status: question('status', {
    title: 'Shows the node: version, listeners, queue',
    input: {},
    run: async (services) => ({ output: { ...services.status(), queue: await services.queue.counts() } }),
  }),
};
