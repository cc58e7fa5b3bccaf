/** The thread that reads received reports: one message after the other, without state between them. */
import { goBehindMail } from '../../world/background.ts';
import { answerJobs } from '../../world/workers/answer.ts';
import { readMessage } from './read.ts';
import type { ReadMessage } from './types.ts';

goBehindMail('search');
answerJobs<Uint8Array, ReadMessage>(() => async (message) => {
  try {
    return await readMessage(message);
  } catch (error) {
    return { ok: false, problem: `cannot be read: ${(error as Error).message}` };
  }
});
