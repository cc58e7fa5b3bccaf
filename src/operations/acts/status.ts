/** The node as a whole. */
import { Type } from 'typebox';
import { Answer } from '../answers.ts';
import { look } from '../define.ts';

export const statusOperations = {
  status: look('status', {
    area: 'node',
    reach: 'node',
    title: 'Shows the node: version, listeners, queue',
    input: {},
    answer: Answer({
      version: Type.String(),
      hostname: Type.String(),
      data: Type.String(),
      running: Type.Boolean(),
      startedAt: Type.Optional(Type.Number()),
      listeners: Type.Record(Type.String(), Type.String()),
      queue: Answer({ queued: Type.Integer(), held: Type.Integer() }),
    }),
    run: async (services) => ({ output: { ...services.status(), queue: await services.queue.counts() } }),
  }),
};
