/** The thread of body-hashing.ts: bodies as they stream in, several at once, each by its number. */
import { parentPort } from 'node:worker_threads';
import { type BodyHashes, bodyHashes } from '../../../../protocol/dkim/body-hashes.ts';
import type { BodyAnswer, BodyOrder } from './body-hashing.ts';

const bodies = new Map<number, BodyHashes>();

parentPort?.on('message', (order: BodyOrder) => parentPort?.postMessage(answer(order)));

function answer(order: BodyOrder): BodyAnswer {
  const { body } = order;
  if (order.kind === 'begin') {
    bodies.set(body, bodyHashes(order.wanted));
    return { body };
  }
  const hashes = bodies.get(body);
  if (order.kind === 'forget' || !hashes) {
    bodies.delete(body);
    return { body };
  }
  if (order.kind === 'chunk') {
    hashes.push(order.chunk);
    return { body, ...(hashes.isDone() && { isDone: true as const }) };
  }
  bodies.delete(body);
  return { body, hashed: hashes.end() };
}
