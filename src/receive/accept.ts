/**
 * The end of a message: all bytes are there, so it is screened, committed and answered.
 *
 * 250 is only sent when the queue has it durably. If a client disconnects before the commit, nothing is committed; if
 * it disconnects during the commit, its message may be delivered and sent again.
 */
import type { MessageRecord } from '../journal/contract.ts';
import { isOperational } from '../model/errors.ts';
import type { Disposition } from '../model/finding.ts';
import type { JournalDetail } from '../model/journal-detail.ts';
import { andThen, isPromise, type MaybePromise } from '../model/maybe-promise.ts';
import type { Reply } from '../model/reply.ts';
import { parseAddress } from '../protocol/smtp/address.ts';
import type { NewMessage, NewRecipient } from '../queue/contract.ts';
import { wants, withoutSuccess } from '../queue/dsn/notices.ts';
import type { Correction, MessageVerdict } from '../screen/contract.ts';
import { isProvenPath } from '../screen/sender/proven.ts';
import { headFacts } from '../screen/session/header.ts';
import type { StagedContent } from '../store/contract.ts';
import { endContent, headOf, type IncomingContent, refuse } from './content.ts';
import { addClientLine, addReply } from './dialogue.ts';
import { journalDetail, recordRefusals, type Screened } from './records.ts';
import { loggedRefused } from './refused.ts';
import { STORE_FULL, TOO_LARGE, TRY_AGAIN } from './replies.ts';
import type { AcceptedRecipient, MailTransaction, SmtpSession } from './session.ts';
import { mayGoOn } from './signed-in.ts';
import { receivedLine } from './trace.ts';

type ScreenedMessage = Awaited<ReturnType<SmtpSession['screen']['message']>>;
type Committing = MessageVerdict & { readonly kind: 'commit' };

const GONE: Reply = { code: 451, enhanced: '4.4.2', text: 'the client went before the message was stored' };

/**
 * Ends the transaction in any case. Never fails for a fault of a neighbour or the peer. Only work that takes time is
 * awaited: a small message meets no promise before its commit.
 */
export function acceptMessage(session: SmtpSession, transaction: MailTransaction): MaybePromise<Reply> {
  const content = transaction.content!;
  session.transaction = undefined;
  addClientLine(transaction.dialogue, `(${content.sizeBytes} octets)`);
  const refusal = contentRefusal(session, transaction, content);
  if (refusal) return refused(session, transaction, refusal);
  const staged = content.spool.finish();
  if (!isPromise(staged)) return screenStaged(session, transaction, staged);
  return staged.then(
    (ready) => screenStaged(session, transaction, ready),
    (error) => storeRefused(session, transaction, error),
  );
}

/** Faults of the content's bytes themselves. */
function contentRefusal(
  { services, policy, facts }: SmtpSession,
  transaction: MailTransaction,
  content: IncomingContent,
): Reply | undefined {
  const { bare, nul } = endContent(content);
  if (content.refusal === 'too-large') return TOO_LARGE;
  const { bareNewlines, nulCharacters } = policy;
  const where = { session: facts.id, message: transaction.id };
  let text: string | undefined;
  if (bare !== 'none') {
    services.events.emit('receive.bare-newline', { ...where, bare, action: bareNewlines });
    if (bareNewlines === 'refuse') text = `the message has a bare ${bare.toUpperCase()}; lines end with CRLF`;
  }
  if (nul) {
    services.events.emit('receive.nul', { ...where, action: nulCharacters });
    if (nulCharacters === 'refuse') text ??= 'the message has a NUL, which only binary content may have';
  }
  if (text === undefined) return undefined;
  refuse(content, 'abandoned');
  return { code: 554, enhanced: '5.6.0', text };
}

function refused(
  session: SmtpSession,
  transaction: MailTransaction,
  reply: Reply,
  screened: Screened = { facts: headFacts(headOf(transaction.content!)) },
): Reply {
  addReply(transaction.dialogue, reply);
  recordRefusals(session, transaction, { reply, screened });
  return reply;
}

function storeRefused(session: SmtpSession, transaction: MailTransaction, error: unknown, screened?: Screened): Reply {
  if (!isOperational(error)) throw error;
  const { code, message } = error;
  session.services.events.emit('receive.commit-failed', { message: transaction.id, code, error: message });
  return refused(session, transaction, code === 'store.full' ? STORE_FULL : TRY_AGAIN, screened);
}

function screenStaged(session: SmtpSession, transaction: MailTransaction, staged: StagedContent): MaybePromise<Reply> {
  const { parameters, reversePath, recipients } = transaction;
  const envelope = { ...parameters, reversePath, recipients: recipients.map(({ recipient }) => recipient) };
  // The content just written could not be read again; or a defect.
  const unscreened = (error: unknown): Reply => {
    staged.discard();
    return storeRefused(session, transaction, error);
  };
  let verdict: ReturnType<SmtpSession['screen']['message']>;
  try {
    verdict = session.screen.message(envelope, staged);
  } catch (error) {
    return unscreened(error);
  }
  return isPromise(verdict)
    ? verdict.then((decided) => commitUnlessSignedOut(session, transaction, staged, decided), unscreened)
    : commitUnlessSignedOut(session, transaction, staged, verdict);
}

/** The account may have been frozen since MAIL: from then on nothing of it is accepted. */
function commitUnlessSignedOut(
  session: SmtpSession,
  transaction: MailTransaction,
  staged: StagedContent,
  verdict: ScreenedMessage,
): MaybePromise<Reply> {
  if (session.facts.account === undefined || verdict.kind === 'reply')
    return commit(session, transaction, staged, verdict);
  return andThen(mayGoOn(session), (refusal) => {
    if (!refusal) return commit(session, transaction, staged, verdict);
    staged.discard();
    return refused(session, transaction, refusal, verdict);
  });
}

function commit(
  session: SmtpSession,
  transaction: MailTransaction,
  staged: StagedContent,
  verdict: ScreenedMessage,
): MaybePromise<Reply> {
  if (verdict.kind === 'reply' || session.gone) {
    staged.discard();
    return refused(session, transaction, verdict.kind === 'reply' ? verdict.reply : GONE, verdict);
  }
  if (verdict.corrections) correct(transaction, verdict.corrections);
  const { dialogue } = transaction;
  // In the journal's row only if the commit succeeds, like the row itself.
  const dialogueBefore = dialogue.text;
  const accepted: Reply = { code: 250, enhanced: '2.0.0', text: `queued as ${transaction.id}` };
  addReply(dialogue, accepted);
  return committing(session, transaction, staged, verdict).then(
    () => {
      session.messagesAccepted++;
      session.idleCommands = 0;
      session.fruitlessRecipients = 0;
      return accepted;
    },
    (error) => {
      dialogue.text = dialogueBefore;
      return storeRefused(session, transaction, error, verdict);
    },
  );
}

/** The header changed who the sender is: the verdicts of RCPT are replaced. */
function correct({ recipients }: MailTransaction, corrections: readonly Correction[]): void {
  for (const [i, correction] of corrections.entries()) recipients[i] = { ...recipients[i]!, ...correction };
}

/** The content belongs to the queue once it was called, also if it refuses. */
function committing(
  session: SmtpSession,
  transaction: MailTransaction,
  staged: StagedContent,
  verdict: ScreenedMessage & Committing,
): Promise<void> {
  try {
    const message = newMessage(session, transaction, staged, verdict, journalDetail(transaction, verdict));
    return session.services.queue.commit(message);
  } catch (error) {
    staged.discard();
    throw error;
  }
}

function newMessage(
  session: SmtpSession,
  transaction: MailTransaction,
  staged: StagedContent,
  { dispositions, edits, evidence, facts }: ScreenedMessage & Committing,
  detail: JournalDetail,
): NewMessage {
  const { id, parameters, reversePath, recipients } = transaction;
  const receivedAt = session.services.clock.now();
  const [only] = recipients;
  const trace = receivedLine({
    session: session.facts,
    hostname: session.hostname,
    id,
    smtputf8: parameters.smtputf8,
    at: receivedAt,
    onlyRecipient: recipients.length === 1 ? only!.recipient.address.text : undefined,
  });
  const rows: NewRecipient[] = [];
  const decided: MessageRecord['recipients'][number][] = [];
  for (let i = 0; i < recipients.length; i++) {
    const disposition = dispositions[i]!;
    const before = rows.length;
    const recipient = recipients[i]!;
    const { notify } = recipient.recipient;
    // RFC 3461 does not say who may request it; requested by a forger, it is mail to a victim of his choice.
    const isReported = !wants(notify, 'success') || recipient.trusted || isProvenPath(reversePath, evidence, facts);
    addRows(rows, recipient, disposition, edits[i], isReported ? notify : withoutSuccess(notify));
    for (let n = before; n < rows.length; n++) decided.push(decidedRecipient(rows[n]!, disposition));
  }
  decided.push(...loggedRefused(transaction.refused));
  return {
    id,
    session: session.facts.id,
    clientAddress: session.facts.client.address,
    author: only?.author,
    reversePath,
    body: actualBody(transaction),
    smtputf8: parameters.smtputf8,
    ret: parameters.ret,
    envid: parameters.envid,
    receivedAt,
    content: staged,
    trace,
    detail,
    recipients: rows,
    decided,
  };
}

/** The type of the actual content, not the declared one: delivery converts only what must be (RFC 6152 3). */
function actualBody({ parameters, content }: MailTransaction): NewMessage['body'] {
  if (parameters.body === 'BINARYMIME') return 'BINARYMIME';
  return content!.eightBit ? '8BITMIME' : '7BIT';
}

/** One row a target: an alias with several has several (RFC 3461 5.2.7). */
function addRows(
  rows: NewRecipient[],
  { recipient, direction, targets, viaAlias }: AcceptedRecipient,
  disposition: Disposition,
  edits: NewRecipient['edits'],
  notify: NewRecipient['notify'],
): void {
  const { address: original, orcpt } = recipient;
  for (const target of disposition.kind === 'redirect' ? [redirectTarget(disposition.to)] : targets) {
    rows.push({
      address: target,
      original,
      notify,
      orcpt,
      direction,
      destination: target.domain,
      edits: edits && edits.length > 0 ? edits : undefined,
      state: rowState(disposition),
      expanded: viaAlias && targets.length > 1 ? true : undefined,
    });
  }
}

function decidedRecipient(
  { address, original }: NewRecipient,
  disposition: Disposition,
): MessageRecord['recipients'][number] {
  return {
    address: address.text,
    original: original.text === address.text ? undefined : original.text,
    disposition: disposition.kind,
    reason: 'reason' in disposition ? disposition.reason : undefined,
  };
}

function rowState(disposition: Disposition): NewRecipient['state'] {
  switch (disposition.kind) {
    case 'accept':
    case 'redirect':
      return 'queued';
    case 'hold': {
      const { class: held, reason, by, tellSender } = disposition;
      return tellSender ? { held, reason, by, tellSender } : { held, reason, by };
    }
    case 'discard':
      return { discarded: disposition.reason };
    // Others of this message were accepted, so it is too late to refuse.
    case 'refuse':
      return { held: 'admin', reason: `late refusal: ${disposition.reason}` };
    case 'defer':
      throw new Error('invariant broken: a deferred recipient came to the commit');
  }
}

function redirectTarget(to: string): NewRecipient['address'] {
  const target = parseAddress(to);
  if (!target.ok) throw new Error(`invariant broken: a redirect goes to ${to}, which is no address`);
  return target.value;
}
