/** The thread that reads reports of others: one message after the other, nothing kept between them. */
import { parentPort } from 'node:worker_threads';
import { goBehindMail } from '../../world/background.ts';
import { readMessage } from './read.ts';
import type { ReadMessage } from './types.ts';

const port = parentPort!;

goBehindMail('search');
port.on('message', (message: Uint8Array) => {
  readMessage(message).then(
    (read) => port.postMessage(read),
    (error: Error) =>
      port.postMessage({ ok: false, problem: `cannot be read: ${error.message}` } satisfies ReadMessage),
  );
});
