/** The evidence of a transaction, with its message or without one if it ended at RCPT. */
import { isDeepStrictEqual } from 'node:util';
import type { ListTable } from '../../directory/rules/lists.ts';
import { isPromise } from '../../model/maybe-promise.ts';
import type { RecipientContext } from '../engine/check.ts';
import type { Observations } from '../engine/engine.ts';
import {
  type About,
  EVIDENCE_VERSION,
  type EvidentRecipient,
  evidenceOfMessage,
  type MessageEvidence,
} from '../engine/evidence.ts';
import { SCREEN_LIMITS } from '../limits.ts';
import { orCannotTell } from '../sender/recipient-context.ts';
import type { AcceptedRecipient, AskedRecipient, ScreenedTransaction, Screening, SharedServices } from './session.ts';

/** A recipient was refused: its evidence is kept for the log, up to a bound. */
export function noteRefused(
  transaction: ScreenedTransaction,
  context: RecipientContext,
  atRcpt: Observations,
  refused: 'unasked' | 'asked',
): void {
  if (transaction.refused++ < SCREEN_LIMITS.refusedEvidence) transaction.asked.push({ context, atRcpt, refused });
}

/** If the message was never received. */
export function evidenceAtRcpt(screening: Screening, transaction: ScreenedTransaction): MessageEvidence {
  const about = aboutOf(screening, transaction);
  return evidenceOfMessage(transaction.policies.forms, transaction.observations, transaction.asked, about);
}

/** `recipients`: the accepted ones, from the message stage; the refused are inserted in order of RCPT. */
export function evidenceWithMessage(
  screening: Screening,
  transaction: ScreenedTransaction,
  recipients: readonly AcceptedRecipient[],
): MessageEvidence {
  const about = { ...aboutOf(screening, transaction), hasMessage: true } as const;
  const all = inOrder(transaction.asked, recipients);
  return evidenceOfMessage(transaction.policies.forms, transaction.observations, all, about);
}

/** The accepted ones have more evidence at the end of data than at RCPT. */
function inOrder(
  asked: readonly AskedRecipient[],
  recipients: readonly AcceptedRecipient[],
): readonly EvidentRecipient[] {
  const present = new Map(recipients.map((one) => [one.atRcpt, one]));
  return asked.flatMap((one): readonly EvidentRecipient[] => {
    const found = present.get(one.atRcpt);
    if (!found) return one.refused ? [one] : [];
    const { context, atRcpt } = found;
    if (context === one.context || isDeepStrictEqual(context.granted, one.context.granted))
      return [{ context, atRcpt }];
    // The context at RCPT follows from the grants.
    const { listed: _, listing: __, listsUntold: ___, ...contextAtRcpt } = one.context;
    return [{ context, contextAtRcpt, atRcpt }];
  });
}

function aboutOf({ services }: Screening, transaction: ScreenedTransaction): About {
  const { facts, sources, looked, isRelay, refused, known } = transaction;
  const cut = refused - SCREEN_LIMITS.refusedEvidence;
  return {
    version: EVIDENCE_VERSION,
    client: facts.client.address,
    sender: known?.kind ?? 'cannot-tell',
    ...(facts.account !== undefined && { account: facts.account }),
    ...(known?.isLocal && { isLocal: true }),
    ...(isRelay && { isRelay: true }),
    ...(sources.hidden && { hidden: sources.hidden }),
    ...(looked && { looked }),
    ...(hasLists(services) && { hasLists: true }),
    ...(services.resolver.isShort() && { isShort: true }),
    ...(cut > 0 && { cut }),
  };
}

function hasLists({ senderRules }: SharedServices): boolean {
  const lists = orCannotTell<ListTable | undefined>(undefined, senderRules.lists);
  return lists === undefined || isPromise(lists) || !lists.isEmpty;
}
