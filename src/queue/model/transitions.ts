/**
 * Every way from one state to the next (states.ts): one function a transition, and nothing else changes
 * a state. The manual prints the first table.
 *
 * Each takes the state that the object is in and the name of the object, and returns the next state. From
 * anywhere but where its table says, it throws: a defect of ours, which names the object.
 */
import { invariant } from '../../model/errors.ts';
import type { ClaimState, InlineState, RecipientState } from './states.ts';

export type Actor = 'receive' | 'delivery' | 'timer' | 'operator' | 'recipient';

interface Move<State> {
  readonly from: readonly State[];
  readonly to: State;
  readonly why: string;
}

interface RecipientMove extends Move<RecipientState> {
  /** Any of them. */
  readonly by: readonly Actor[];
}

const RECIPIENT_MOVES = {
  accept: { from: ['new'], to: 'queued', by: ['receive'], why: 'the recipient was accepted' },
  keep: {
    from: ['new'],
    to: 'held',
    by: ['receive'],
    why: 'the checks hold it back for a user, an administrator or an operator, for good or until a time',
  },
  discard: { from: ['new'], to: 'discarded', by: ['receive'], why: 'the checks drop it without a word' },
  deliver: { from: ['queued'], to: 'delivered', by: ['delivery'], why: 'it is in a local mailbox' },
  relay: { from: ['queued'], to: 'relayed', by: ['delivery'], why: 'the next host has taken it' },
  defer: { from: ['queued'], to: 'queued', by: ['delivery'], why: 'the try failed for now; tried again later' },
  fail: { from: ['queued'], to: 'bounced', by: ['delivery'], why: 'the try failed for good; the sender is told' },
  expire: {
    from: ['queued'],
    to: 'expired',
    by: ['delivery', 'timer'],
    why: 'the time for trying is over; the sender is told',
  },
  silence: {
    from: ['queued'],
    to: 'held',
    by: ['delivery', 'timer'],
    why: 'it failed or expired, and the sender address is forged: nobody is told, an administrator decides',
  },
  setAside: {
    from: ['queued'],
    to: 'held',
    by: ['delivery'],
    why: 'its content is missing or damaged: an operator decides',
  },
  warn: { from: ['queued'], to: 'queued', by: ['timer'], why: 'the sender was told of the delay' },
  hold: {
    from: ['queued'],
    to: 'held',
    by: ['operator'],
    why: 'hold, for good or until a time; alone or with all of its author',
  },
  release: { from: ['held'], to: 'queued', by: ['operator'], why: 'release' },
  releaseOwn: {
    from: ['held'],
    to: 'queued',
    by: ['recipient'],
    why: 'release by the recipient, of what is held for him',
  },
  letGo: { from: ['held'], to: 'queued', by: ['timer'], why: 'the time of its hold is over' },
  drop: { from: ['held'], to: 'deleted', by: ['timer'], why: 'the time of its hold is over, and nobody wanted it' },
  reclass: { from: ['held'], to: 'held', by: ['operator'], why: 'somebody else decides about it now' },
  retry: { from: ['queued'], to: 'queued', by: ['operator'], why: 'retry now' },
  redirect: {
    from: ['queued', 'held'],
    to: 'redirected',
    by: ['operator'],
    why: 'redirect; a new row goes to the new address',
  },
  sendOn: { from: ['new'], to: 'queued', by: ['operator'], why: 'the row that a redirect made' },
  bounce: { from: ['queued', 'held'], to: 'bounced', by: ['operator'], why: 'bounce; the sender is told' },
  delete: { from: ['queued', 'held'], to: 'deleted', by: ['operator'], why: 'delete; nobody is told' },
} as const satisfies Record<string, RecipientMove>;

const CLAIM_MOVES = {
  handOver: { from: ['buffered'], to: 'taken', why: 'the dispatcher had room' },
  giveBack: { from: ['buffered'], to: 'returning', why: 'its destination backs off, or the queue stops' },
  withdraw: { from: ['buffered'], to: 'settling', why: 'its author is held, before anybody was asked to take it' },
  settle: { from: ['taken'], to: 'settling', why: 'the try is over' },
  lose: { from: ['buffered'], to: 'over', why: 'an operator took its rows' },
  end: { from: ['settling', 'returning'], to: 'over', why: 'its rows have ended, are held, or wait' },
} as const satisfies Record<string, Move<ClaimState>>;

const INLINE_MOVES = {
  end: { from: ['noted'], to: 'ending', why: 'delivered to all its recipients at the first try' },
  endFailed: { from: ['ending'], to: 'noted', why: 'the ledger did not take its end: the database shall' },
  spill: { from: ['noted', 'spilling'], to: 'spilling', why: 'it is not over soon, or not delivered, or looked at' },
  spillRefused: { from: ['spilling'], to: 'noted', why: 'the disk is full: certainly no row came there' },
  spilled: { from: ['spilling'], to: 'spilled', why: 'its rows are in the database' },
  tell: { from: ['spilled'], to: 'leaving', why: 'the ledger is told' },
  tellFailed: { from: ['leaving'], to: 'spilled', why: 'the ledger did not take it: told again later' },
  leave: { from: ['ending', 'leaving'], to: 'gone', why: 'the ledger has its end' },
} as const satisfies Record<string, Move<InlineState>>;

type Functions<State, Moves extends Record<string, Move<State>>> = {
  readonly [Name in keyof Moves]: (from: State, id: string) => Moves[Name]['to'];
};

/** What becomes of a recipient: its row, or what the row would be. `id`: of the message or the row. */
export const recipients = functionsOf('recipient', RECIPIENT_MOVES);
/** What becomes of a claim of ours. `id`: its message. */
export const claims = functionsOf('claim', CLAIM_MOVES);
/** What becomes of an inline entry. `id`: its message. */
export const inlineEntries = functionsOf('inline entry', INLINE_MOVES);

export interface Transition {
  /** `new`: the row comes into being. */
  readonly from: RecipientState;
  readonly to: RecipientState;
  readonly by: Actor;
  readonly why: string;
}

/** Every way of a recipient's row. */
export const TRANSITIONS: readonly Transition[] = Object.values<RecipientMove>(RECIPIENT_MOVES).flatMap(
  ({ from, to, by, why }) => from.flatMap((state) => by.map((actor) => ({ from: state, to, by: actor, why }))),
);

function functionsOf<State extends string, const Moves extends Record<string, Move<State>>>(
  what: string,
  moves: Moves,
): Functions<State, Moves> {
  const functions = Object.entries(moves).map(([name, { from, to }]) => [
    name,
    (state: State, id: string): State => {
      invariant(from.includes(state), `${what} ${id} is ${state}: it cannot ${name} from there`);
      return to;
    },
  ]);
  return Object.fromEntries(functions) as Functions<State, Moves>;
}
