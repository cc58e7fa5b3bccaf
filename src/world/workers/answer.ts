/**
 * The thread's side of a worker client: answers the questions of each job in the order in which they were asked. The
 * state of a job is dropped when the job is over.
 *
 * An error becomes the answer: an OperationalError keeps its code, any other error is a defect. The client bounds the
 * number of jobs here.
 */
import { parentPort } from 'node:worker_threads';
import { invariant, isOperational } from '../../model/errors.ts';

export type ToThread<Question> =
  | { readonly job: number; readonly question: Question }
  | { readonly job: number; readonly isOver: true };

export type FromThread<Answer> =
  | { readonly job: number; readonly answer: Answer }
  | { readonly job: number; readonly error: { readonly code?: string; readonly message: string } };

/** `begin`: called at the first question of a job; its closure holds the job's state. */
export function answerJobs<Question, Answer>(begin: () => (question: Question) => Answer | Promise<Answer>): void {
  const port = parentPort;
  invariant(port, 'only a thread answers jobs');
  const jobs = new Map<number, (question: Question) => Answer | Promise<Answer>>();
  port.on('message', async (message: ToThread<Question>) => {
    const { job } = message;
    if ('isOver' in message) return jobs.delete(job);
    const answer = jobs.get(job) ?? begin();
    jobs.set(job, answer);
    port.postMessage(await replyOf(job, () => answer(message.question)));
  });
}

async function replyOf<Answer>(job: number, answer: () => Answer | Promise<Answer>): Promise<FromThread<Answer>> {
  try {
    return { job, answer: await answer() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { job, error: { ...(isOperational(error) && { code: error.code }), message } };
  }
}
