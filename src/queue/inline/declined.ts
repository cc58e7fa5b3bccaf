/**
 * The inline way for a queue without a ledger, as where nodes share a database: it takes no message, so
 * each goes into the database, and nothing that asks about inline entries finds one.
 */
import { OperationalError } from '../../model/errors.ts';
import type { Lane } from './lane.ts';

const done = async (): Promise<void> => undefined;
const refuse = async (): Promise<never> => {
  throw new OperationalError('store.unavailable', 'cannot take a message inline, as the queue must have a ledger');
};

export const declinedLane: Lane = {
  hasRoom: () => false,
  enter: refuse,
  holds: () => false,
  mayEnd: () => false,
  end: refuse,
  spill: done,
  spilling: () => undefined,
  spillWith: refuse,
  inMemory: () => Iterator.from([]),
  states: () => [][Symbol.iterator](),
  needs: () => false,
  stop() {},
};
