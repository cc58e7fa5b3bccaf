/** The node as a whole. */
import { look } from '../define.ts';

export const statusOperations = {
  status: look('status', {
    area: 'node',
    title: 'Shows the node: version, listeners, queue',
    input: {},
    run: async (services) => ({ output: { ...services.status(), queue: await services.queue.counts() } }),
  }),
};
