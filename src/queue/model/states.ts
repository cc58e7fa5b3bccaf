/**
 * Every state of a recipient, in one place: what it is, who has it in hand, and where it is durable.
 *
 * The three move together, by the functions of transitions.ts alone, and not every combination exists:
 * `assertLife` names the recipient for which they contradict each other, which is a defect of ours. The
 * drawing is in docs/architecture.md, section 4.
 */
import { invariant } from '../../model/errors.ts';
import type { QueueState } from '../contract.ts';

/** What it is. `new`: its message is not committed yet. */
export type RecipientState = 'new' | QueueState;

/**
 * Who may decide about it. `buffered`: a claim that waits for the dispatcher; `taken`: it is being
 * delivered; `settling`: its end is on the way to the disk; `returning`: it will wait again. Before the
 * commit a place in the buffer may be reserved for it, which is a claim to come and no state of a row.
 */
export type ClaimState = 'buffered' | 'taken' | 'settling' | 'returning' | 'over';

/**
 * Where it is durable while it is inline. `noted`: in the ledger; `ending`: the ledger is being told that
 * it was delivered; `spilling`: its rows are on the way into the database, or may have come there although
 * the write failed; `spilled`: they are there and the ledger does not know; `leaving`: it is being told.
 */
export type InlineState = 'noted' | 'ending' | 'spilling' | 'spilled' | 'leaving' | 'gone';

/** Nobody's: its row waits, or an act of an operator or of the clock has its lease. */
export type Hand = ClaimState | 'nobody';
/** `rows`: it never was inline, or is not any more. */
export type Home = InlineState | 'rows';

/** Which hands a recipient may be in, by where it is durable. */
const LIVES: Readonly<Record<Home, readonly Hand[]>> = {
  // What is in the ledger alone is found by nobody else, so a claim has it.
  noted: ['buffered', 'taken', 'settling', 'returning'],
  ending: ['settling'],
  spilling: ['buffered', 'taken', 'settling', 'returning'],
  spilled: ['nobody', 'buffered', 'taken', 'settling', 'returning'],
  leaving: ['nobody', 'buffered', 'taken', 'settling', 'returning'],
  gone: [],
  rows: ['nobody', 'buffered', 'taken', 'settling', 'returning'],
};

export function assertLife(id: string, hand: Hand, home: Home): void {
  invariant(LIVES[home].includes(hand), `a recipient of ${id} may not be ${home} and in the hand of ${hand}`);
}
