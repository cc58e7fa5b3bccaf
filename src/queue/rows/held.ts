/**
 * What held mail is found and counted by: columns of the recipient's row, set when it is held and gone when
 * it is not. Partial indexes over them know held rows only, so that the database itself keeps them true
 * through every transition; triggers keep the counts, which so are true whatever statement changed a row.
 */
import type { HeldBy, HoldClass } from '../../model/finding.ts';
import type { HoldEnd } from '../contract.ts';
import type { RecipientRow } from './tables.ts';

type Found = Pick<
  RecipientRow,
  'held_at' | 'held_check' | 'held_code' | 'held_sender' | 'held_sender_domain' | 'held_subject'
>;
export type HoldColumns = Found & Pick<RecipientRow, 'hold_class' | 'hold_reason' | 'held_until' | 'held_then'>;

/** Characters of a subject that a search looks at. */
const SUBJECT_CHARACTERS = 200;

export const NOT_HELD: Found = {
  held_at: null,
  held_check: null,
  held_code: null,
  held_sender: null,
  held_sender_domain: null,
  held_subject: null,
};

/** Of the message that is held; null: the null reverse-path, or no subject. */
export interface HeldMessage {
  readonly sender: string | null;
  readonly subject: string | null;
}

export function foundBy(by: HeldBy | undefined, at: number, { sender, subject }: HeldMessage): Found {
  return {
    held_at: at,
    held_check: by?.check ?? null,
    held_code: by?.code ?? null,
    held_sender: (sender ?? '').toLowerCase(),
    held_sender_domain: domainOf(sender ?? ''),
    held_subject: (subject ?? '').slice(0, SUBJECT_CHARACTERS).toLowerCase(),
  };
}

export interface HoldWanted {
  readonly class: HoldClass;
  readonly reason: string;
  readonly until?: HoldEnd;
  readonly by: HeldBy;
}

export function holdColumns(
  { class: holdClass, reason, until, by }: HoldWanted,
  at: number,
  message: HeldMessage,
): HoldColumns {
  return {
    hold_class: holdClass,
    hold_reason: reason,
    held_until: until?.at ?? null,
    held_then: until?.to === 'deleted' ? 'deleted' : null,
    ...foundBy(by, at, message),
  };
}

/** Whose settings apply (architecture, section 3). */
export function policyDomain(direction: RecipientRow['direction'], address: string, sender: string | null): string {
  return domainOf(direction === 'outbound' ? (sender ?? '') : address);
}

/** In lower case; the bare `postmaster` is its own. */
function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}
