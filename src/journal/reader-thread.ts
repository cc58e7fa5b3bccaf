/** The reading thread: one question after the other, each on a connection of its own. */
import { workerData } from 'node:worker_threads';
import { isOperational, OperationalError } from '../model/errors.ts';
import { goBehindMail } from '../world/background.ts';
import { answerJobs } from '../world/workers/answer.ts';
import { classify } from './failure.ts';
import { type Answers, answer, type Question } from './question.ts';

export interface ReaderOptions {
  /** Of log.db. */
  readonly path: string;
}

const { path } = workerData as ReaderOptions;

goBehindMail('search');
answerJobs<Question, Answers[keyof Answers]>(() => reply);

function reply(question: Question): Answers[keyof Answers] {
  try {
    return answer(path, question);
  } catch (error) {
    if (isOperational(error)) throw error;
    const damaged = classify(error).kind === 'damaged';
    const message = error instanceof Error ? error.message : String(error);
    throw new OperationalError(damaged ? 'log.damaged' : 'log.unavailable', `cannot read log.db: ${message}`);
  }
}
