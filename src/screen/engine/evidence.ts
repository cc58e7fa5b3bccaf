/**
 * What the checks saw of a message, as it is stored for the log and for the replay: by check, and
 * under `recipients`, by address, who each is and what was seen of it alone.
 *
 * Every message's is a copy of one blank form: an object that grows by one member after another
 * takes longer to make, and with many members three times as long to become JSON.
 */
import type { Evidence } from '../../model/finding.ts';
import type { RecipientContext } from './check.ts';
import type { Observations, Observed } from './engine.ts';
import type { Plan } from './plan.ts';

/** A check that saw nothing is missing, or undefined. */
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

/** Who observes at each stage, and of MAIL once there is a recipient. */
export function evidenceForms(
  { ids }: Plan,
  { connect, ehlo, mail, rcpt, message }: Plan['starts'],
  uponRecipient: Plan['uponRecipient'],
): EvidenceForms {
  const form = (first: string, indexes: readonly number[]): Form => {
    const checks = [...new Set(indexes)].map((index) => ({ id: ids[index]!, index }));
    return { blank: blankOf([first, ...checks.map(({ id }) => id)]), checks };
  };
  return {
    message: form('recipients', [...connect, ...ehlo, ...mail, ...uponRecipient, ...message]),
    recipient: form('who', rcpt),
  };
}

/** The parser makes an object whose members have fixed places, whatever their number. */
function blankOf(names: readonly string[]): Blank {
  const blank = JSON.parse(`{${names.map((name) => `${JSON.stringify(name)}:null`).join()}}`);
  for (const name of names) blank[name] = undefined;
  return blank;
}

export function evidenceOfMessage(
  { message, recipient }: EvidenceForms,
  observations: Observations,
  recipients: readonly { readonly context: RecipientContext; readonly observations: Observations }[],
): MessageEvidence {
  const byAddress: Record<string, Evidence> = {};
  for (const { context, observations: own } of recipients) {
    const evidence = fill(recipient, own);
    evidence['who'] = context as unknown as Evidence;
    byAddress[context.address] = evidence as Evidence;
  }
  const evidence = fill(message, observations);
  evidence['recipients'] = byAddress;
  return evidence as MessageEvidence;
}

function fill({ blank, checks }: Form, { byCheck }: Observations): Record<string, Evidence | undefined> {
  const filled: Record<string, Evidence | undefined> = { ...blank };
  for (const { id, index } of checks) {
    const observed = byCheck[index] as Observed | undefined;
    if (typeof observed === 'object') filled[id] = observed;
  }
  return filled;
}
