/**
 * Every way a recipient row can go: the manual prints this table, the code asserts it.
 */
import { invariant } from '../../model/errors.ts';
import type { QueueState } from '../contract.ts';

export type Actor = 'receive' | 'delivery' | 'timer' | 'operator';

export interface Transition {
  /** `new`: the row comes into being. */
  readonly from: QueueState | 'new';
  readonly to: QueueState;
  readonly by: Actor;
  readonly why: string;
}

export const TRANSITIONS = [
  { from: 'new', to: 'queued', by: 'receive', why: 'the recipient was accepted' },
  {
    from: 'new',
    to: 'held',
    by: 'receive',
    why: 'the checks hold it back for a user, an administrator or an operator',
  },
  { from: 'new', to: 'discarded', by: 'receive', why: 'the checks drop it without a word' },
  { from: 'queued', to: 'delivered', by: 'delivery', why: 'it is in a local mailbox' },
  { from: 'queued', to: 'relayed', by: 'delivery', why: 'the next host has taken it' },
  { from: 'queued', to: 'queued', by: 'delivery', why: 'the try failed for now; tried again later' },
  { from: 'queued', to: 'bounced', by: 'delivery', why: 'the try failed for good; the sender is told' },
  {
    from: 'queued',
    to: 'expired',
    by: 'delivery',
    why: 'the try failed and the time for trying is over; the sender is told',
  },
  {
    from: 'queued',
    to: 'held',
    by: 'delivery',
    why: 'it failed, and the sender address is forged: nobody is told, an administrator decides',
  },
  { from: 'queued', to: 'held', by: 'delivery', why: 'its content is missing or damaged: an operator decides' },
  { from: 'queued', to: 'expired', by: 'timer', why: 'the time for trying is over; the sender is told' },
  {
    from: 'queued',
    to: 'held',
    by: 'timer',
    why: 'it expired, and the sender address is forged: nobody is told, an administrator decides',
  },
  { from: 'queued', to: 'queued', by: 'timer', why: 'the sender was told of the delay' },
  { from: 'queued', to: 'held', by: 'operator', why: 'hold' },
  { from: 'held', to: 'queued', by: 'operator', why: 'release' },
  { from: 'queued', to: 'queued', by: 'operator', why: 'retry now' },
  { from: 'queued', to: 'redirected', by: 'operator', why: 'redirect; a new row goes to the new address' },
  { from: 'held', to: 'redirected', by: 'operator', why: 'redirect; a new row goes to the new address' },
  { from: 'new', to: 'queued', by: 'operator', why: 'the row that a redirect made' },
  { from: 'queued', to: 'bounced', by: 'operator', why: 'bounce; the sender is told' },
  { from: 'held', to: 'bounced', by: 'operator', why: 'bounce; the sender is told' },
  { from: 'queued', to: 'deleted', by: 'operator', why: 'delete; nobody is told' },
  { from: 'held', to: 'deleted', by: 'operator', why: 'delete; nobody is told' },
] as const satisfies readonly Transition[];

const ALLOWED: ReadonlySet<string> = new Set(TRANSITIONS.map(({ from, to, by }) => `${from} ${to} ${by}`));

export function assertTransition(from: Transition['from'], to: QueueState, by: Actor): void {
  invariant(ALLOWED.has(`${from} ${to} ${by}`), `a recipient row may not go from ${from} to ${to} by ${by}`);
}
