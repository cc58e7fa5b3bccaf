/**
 * The evidence of a transaction, as it is stored for the log and for the replay: by check; under `about` what the
 * replay must know besides; and under `recipients`, by address in order of RCPT, the context of each and the evidence
 * about it alone. A transaction whose recipients were all refused has the same form.
 *
 * The evidence of every message is a copy of one blank form: an object that grows by one member after another takes
 * longer to create, and with many members three times as long to become JSON.
 */
import type { Evidence } from '../../model/finding.ts';
import { isPromise } from '../../model/maybe-promise.ts';
import type { Looked } from '../looking.ts';
import type { Hidden } from '../sender/nat.ts';
import type { RecipientContext, SenderKind } from './check.ts';
import type { Observations } from './engine.ts';
import type { Plan } from './plan.ts';

/** Version of the form and the meaning of evidence; it changes with each change that judging cannot handle. */
export const EVIDENCE_VERSION = 2;

export type About = {
  readonly version: number;
  readonly client: string;
  readonly sender: SenderKind;
  /** The account that authenticated. */
  readonly account?: string;
  /** The domain in MAIL is local. */
  readonly isLocal?: true;
  /** The client was a trusted relay. */
  readonly isRelay?: true;
  /** The client's address was not its own. */
  readonly hidden?: Hidden;
  readonly looked?: Looked;
  /** The message was received, and its checks observed it. */
  readonly hasMessage?: true;
  /** The node had no look-ups left for it. */
  readonly isShort?: true;
  /** Lists have entries, which may match the header. */
  readonly hasLists?: true;
  /** This many refused recipients are left out. */
  readonly cut?: number;
};

/** A check without evidence is missing, or undefined. */
export type MessageEvidence = Readonly<Record<string, Evidence>>;

type Blank = Readonly<Record<string, undefined>>;

interface Form {
  readonly blank: Blank;
  readonly checks: readonly { readonly id: string; readonly index: number }[];
}

export interface EvidenceForms {
  readonly message: Form;
  readonly recipient: Form;
}

/** The checks that observe at each stage, and MAIL once there is a recipient. */
export function evidenceForms(
  { ids }: Plan,
  { connect, ehlo, mail, rcpt, message }: Plan['starts'],
  uponRecipient: Plan['uponRecipient'],
): EvidenceForms {
  const form = (first: readonly string[], indexes: readonly number[]): Form => {
    const checks = [...new Set(indexes)].map((index) => ({ id: ids[index]!, index }));
    return { blank: blankOf([...first, ...checks.map(({ id }) => id)]), checks };
  };
  return {
    message: form(['about', 'recipients'], [...connect, ...ehlo, ...mail, ...uponRecipient, ...message]),
    recipient: form(['who', 'whoAtRcpt', 'refused'], rcpt),
  };
}

/** The JSON parser creates an object whose members have fixed places, whatever their number. */
function blankOf(names: readonly string[]): Blank {
  const blank = JSON.parse(`{${names.map((name) => `${JSON.stringify(name)}:null`).join()}}`);
  for (const name of names) blank[name] = undefined;
  return blank;
}

export interface EvidentRecipient {
  readonly context: RecipientContext;
  /** The context by lists at RCPT, if the header changed it. */
  readonly contextAtRcpt?: RecipientContext;
  readonly atRcpt: Observations;
  /** At RCPT: before any look-up, or with look-ups. */
  readonly refused?: 'unasked' | 'asked';
}

export function evidenceOfMessage(
  { message, recipient }: EvidenceForms,
  observations: Observations,
  recipients: readonly EvidentRecipient[],
  about: About,
): MessageEvidence {
  const byAddress: Record<string, Evidence> = {};
  for (const { context, contextAtRcpt, atRcpt, refused } of recipients) {
    const evidence: Record<string, unknown> = fill(recipient, atRcpt);
    if (refused) evidence['refused'] = refused;
    if (contextAtRcpt) evidence['whoAtRcpt'] = contextAtRcpt as unknown as Evidence;
    evidence['who'] = context as unknown as Evidence;
    byAddress[context.address] = evidence as Evidence;
  }
  const evidence = fill(message, observations);
  evidence['about'] = about;
  evidence['recipients'] = byAddress;
  return evidence as MessageEvidence;
}

function fill({ blank, checks }: Form, { byCheck }: Observations): Record<string, Evidence | undefined> {
  const filled: Record<string, Evidence | undefined> = { ...blank };
  for (const { id, index } of checks) {
    const observed = byCheck[index];
    // An observation that was no longer awaited counts as none.
    if (typeof observed === 'object' && !isPromise(observed)) filled[id] = observed;
  }
  return filled;
}
