/**
 * The message stage of a provisionally trusted sender (claims.ts). With the mark it goes on as it was. Without, the
 * message is judged from MAIL on as one of an untrusted sender: remote recipients are refused, local ones are checked
 * accordingly.
 */
import type { ContentRef, HeaderEdit } from '../../model/content.ts';
import type { Envelope } from '../../model/envelope.ts';
import type { Finding } from '../../model/finding.ts';
import type { Correction } from '../contract.ts';
import { copyOf, settle, start } from '../engine/engine.ts';
import { type Pending, senderByHeader } from '../sender/claims.ts';
import { authorOf, isTrusted, type Sender } from '../sender/recipient-context.ts';
import type { ReadHeader } from './header.ts';
import { type ScreenedMessage, screenMessage } from './message.ts';
import { screenRecipient } from './recipient.ts';
import type { AcceptedRecipient, ScreenedTransaction, Screening } from './session.ts';

export type PendingSender = Sender & { readonly pending: Pending };

export async function screenPending(
  screening: Screening,
  transaction: ScreenedTransaction,
  server: PendingSender,
  envelope: Envelope,
  content: ContentRef,
  header: ReadHeader,
): Promise<ScreenedMessage> {
  const { sender, markers } = senderByHeader(server.pending, server, header.head);
  if (sender.unmarked) {
    const { id, client } = transaction.facts;
    screening.services.events.emit('screen.unmarked', { session: id, address: client.address, domain: server.domain });
  }
  const isAsThought = isTrusted(sender.kind) && sender.domain === server.domain;
  const settled = isAsThought ? transaction : await again(screening, transaction, sender);
  const screened = await screenMessage(screening, settled, envelope, content, header);
  if (screened.kind === 'reply') return screened;
  const present = settled.recipients.filter(({ recipient }) => envelope.recipients.includes(recipient));
  const edits = screened.edits.map((own, i) =>
    present[i]?.context.direction === 'outbound' ? [...own, ...markers.map(without)] : own,
  );
  if (isAsThought) return { ...screened, edits };
  return { ...screened, edits, corrections: present.map(({ context }) => correction(context, sender, transaction)) };
}

/** A mark may be a secret between the provider and us: it is removed from the copies. */
function without(name: string): HeaderEdit {
  return { kind: 'remove', name, occurrence: 0 };
}

function correction(
  { direction, policyDomain }: AcceptedRecipient['context'],
  sender: Sender,
  { facts }: ScreenedTransaction,
): Correction {
  return { direction, policyDomain, trusted: isTrusted(sender.kind), author: authorOf(sender, facts) };
}

/** MAIL and every RCPT once more, for the actual kind of sender. */
async function again(
  screening: Screening,
  transaction: ScreenedTransaction,
  sender: Sender,
): Promise<ScreenedTransaction> {
  const { plan, services } = screening;
  const { facts, reversePath, parameters, policies, boundMs } = transaction;
  const observations = copyOf(transaction.observations);
  // Checks from which the server was exempt now observe the untrusted sender.
  for (const index of plan.uponRecipient) observations.byCheck[index] = undefined;
  const anew: ScreenedTransaction = {
    ...transaction,
    pending: undefined,
    sender,
    observations,
    recipients: [],
    asked: [],
    refused: 0,
    known: sender,
    asks: false,
  };
  const isHidden = transaction.sources.hidden !== undefined;
  const view = { stage: 'mail', facts, reversePath, parameters, sender, isHidden } as const;
  start(plan, view, services, observations, policies);
  await settle(plan, 'mail', observations, boundMs, services);
  for (const known of transaction.recipients) {
    const verdict = await screenRecipient(screening, anew, known.recipient);
    if (!verdict.accepted) anew.recipients.push(refusedNow(known, sender, anew, verdict.findings));
  }
  return anew;
}

/** Its RCPT was answered already: a refusal now counts among its findings. */
function refusedNow(
  { recipient, context, account }: AcceptedRecipient,
  { kind, domain }: Sender,
  { observations }: ScreenedTransaction,
  findings: readonly Finding[],
): AcceptedRecipient {
  const { listed: _, listing: __, ...rest } = context;
  const isOutbound = context.direction === 'outbound';
  const now = {
    ...rest,
    sender: kind,
    direction: context.direction === 'internal' && !isTrusted(kind) ? ('inbound' as const) : context.direction,
    policyDomain: isOutbound ? domain : context.policyDomain,
  };
  return {
    recipient,
    context: now,
    account,
    observations: copyOf(observations),
    atRcpt: copyOf(observations),
    findings,
  };
}
