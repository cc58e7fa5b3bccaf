/** The reading thread: one question after the other, each on a connection of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { isOperational } from '../model/errors.ts';
import { goBehindMail } from '../world/background.ts';
import { classify } from './failure.ts';
import { type Answers, answer, type Question } from './question.ts';

export type FromReader =
  | { readonly value: Answers[keyof Answers] }
  | { readonly code: string; readonly message: string };

const port = parentPort!;
const { path } = workerData as { readonly path: string };

goBehindMail('search');
port.on('message', (question: Question) => port.postMessage(reply(question)));

function reply(question: Question): FromReader {
  try {
    return { value: answer(path, question) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (isOperational(error)) return { code: error.code, message };
    const damaged = classify(error).kind === 'damaged';
    return { code: damaged ? 'log.damaged' : 'log.unavailable', message: `cannot read log.db: ${message}` };
  }
}
