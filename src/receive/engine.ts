/**
 * The engine of a session: takes commands and content out of the input in order, executes each, and answers.
 * Synchronous work is not awaited; the replies to a batch leave together.
 */
import { andThen, isPromise, type MaybePromise } from '../model/maybe-promise.ts';
import type { Reply } from '../model/reply.ts';
import { readCommand } from '../protocol/smtp/command.ts';
import { formatReply } from '../protocol/smtp/reply.ts';
import { loopStep } from '../world/loop-watch.ts';
import { acceptMessage } from './accept.ts';
import { addClientLine, addReply } from './dialogue.ts';
import { end } from './end.ts';
import { AUTH_LINE_BYTES } from './limits.ts';
import { BAD_NAME, DEFECT, DISMISSED, SHUTTING_DOWN, TOO_LARGE, tooMuch } from './replies.ts';
import { currentDialogue, type MailTransaction, type Receiving, type SmtpSession } from './session.ts';
import { auth, authTooLong, continueAuth } from './verbs/auth.ts';
import { VERBS } from './verbs/index.ts';

/** `starved`: the input has no complete command. */
type Step = MaybePromise<Reply | undefined> | 'starved';

/** Executes everything that the input allows; called again when more input comes or work is done. */
export function proceed(session: SmtpSession): void {
  const { connection } = session;
  if (connection.busy) return;
  let step: Step;
  while (!connection.closing && hasRoom(connection)) {
    step = attempt(session);
    if (step === 'starved') break;
    if (isPromise(step)) {
      wait(session, step);
      return;
    }
    answer(session, step);
  }
  if (connection.closing) return;
  connection.flush();
  if (connection.inputEnded && step === 'starved') connection.close('closed-by-client');
}

/** A client that does not read replies gets no more. */
function hasRoom(connection: SmtpSession['connection']): boolean {
  if (!connection.congested) return true;
  connection.flush();
  return !connection.congested;
}

function attempt(session: SmtpSession): Step {
  const { receiving, transaction, facts } = session;
  try {
    return loopStep('smtp-input', transaction?.id ?? facts.id, () =>
      receiving ? receive(session, receiving) : command(session),
    );
  } catch (error) {
    return defect(session, error);
  }
}

/** Lets the session wait for `work`, and continue with its answer. */
export function wait(session: SmtpSession, work: Promise<Reply | undefined>): void {
  const { connection } = session;
  connection.busy = true;
  const done = (reply: Reply | undefined): void => {
    connection.busy = false;
    if (connection.closing) return;
    answer(session, reply);
    connection.resume();
    proceed(session);
  };
  work.then(done, (error: unknown) => done(defect(session, error)));
}

function defect(session: SmtpSession, error: unknown): Reply {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  session.services.events.emit('node.defect', {
    where: `SMTP session ${session.facts.id}`,
    error: message,
    ...(stack === undefined ? {} : { stack }),
  });
  session.reason ??= 'internal error';
  return DEFECT;
}

export function answer(session: SmtpSession, reply: Reply | undefined): void {
  if (reply === undefined || session.connection.closing) return;
  const dialogue = currentDialogue(session);
  if (session.commandLine !== undefined) {
    addClientLine(dialogue, session.commandLine);
    addReply(dialogue, reply);
    session.commandLine = undefined;
  }
  say(session, reply);
  const { connection, policy } = session;
  if (connection.closing) return;
  if (session.upgrading) {
    session.upgrading = false;
    const { discardedBytes } = connection.startTls();
    if (discardedBytes > 0) {
      session.services.events.emit('smtp.starttls.discarded', { session: session.facts.id, bytes: discardedBytes });
    }
    return;
  }
  if (session.isDismissed) {
    end(session, DISMISSED, 'refused');
    return;
  }
  if (session.draining && !session.transaction) {
    end(session, SHUTTING_DOWN, 'shutdown');
    return;
  }
  if (isClientError(reply)) session.errors++;
  if (session.idleCommands > policy.maxIdleCommands) giveUp(session, 'too many commands without a message');
  else if (session.errors > policy.maxErrors) giveUp(session, 'too many errors');
  else connection.expectWithin(session.receiving ? policy.dataTimeoutMs : policy.commandTimeoutMs);
}

function giveUp(session: SmtpSession, reason: string): void {
  session.reason = reason;
  const reply = tooMuch(reason);
  addReply(currentDialogue(session), reply);
  say(session, reply);
}

/** Malformed, unknown, misplaced: the client's own fault, whatever the mail (RFC 5321 4.2.2). */
function isClientError({ code, enhanced }: Reply): boolean {
  if ((code >= 500 && code <= 504) || code === 521 || code === 555) return true;
  // An address beyond ASCII without SMTPUTF8 (RFC 6531 3.5).
  return code === 553 && enhanced === '5.6.7';
}

function say(session: SmtpSession, reply: Reply): void {
  session.connection.send(formatReply(reply));
  if (!reply.close) return;
  session.end ??= 'closed-by-us';
  // QUIT is the last command of a client (RFC 2920 3.1), so no input can follow that would turn the end into a reset.
  if (session.end === 'quit') session.connection.part();
  else session.connection.close('closed-by-us');
}

const TOO_LONG: Reply = { code: 500, enhanced: '5.5.2', text: 'the line is too long' };
const ENDLESS: Reply = { ...TOO_LONG, close: true };
/** It is ambiguous where such a command ends, so no further command is executed. */
const BARE_LF: Reply = { code: 521, enhanced: '5.5.2', text: 'a line ends with CRLF, not with LF alone', close: true };
const NO_TEXT: Reply = { code: 500, enhanced: '5.5.2', text: 'the line has characters that no command has' };
/** A byte of C0 or C1, even if the rest is not valid UTF-8: the argument is at fault, so the answer is 501. */
const BAD_GREETING = /^(?:EHLO|HELO) .*[\x00-\x1f\x7f-\x9f]/is;
const UNKNOWN: Reply = { code: 500, enhanced: '5.5.1', text: 'unknown command' };
/** The session began with the proxy itself as the client: further commands must not count as the proxy's. */
const LATE_PROXY: Reply = { code: 421, enhanced: '4.3.5', text: 'the PROXY header came too late', close: true };
/** A browser that was tricked into connecting would continue with text of an attacker. */
const NOT_SMTP: Reply = { code: 502, enhanced: '5.7.0', text: 'this is SMTP', close: true };
const CRLF_BYTES = 2;
const HTTP = /^(GET|POST|PUT|HEAD|CONNECT|OPTIONS|DELETE|PATCH)$/;

/** A line of an AUTH exchange. Its content is not logged. */
function authLine(session: SmtpSession): Step {
  const line = session.connection.input.takeLine(AUTH_LINE_BYTES);
  if (line === 'incomplete') return 'starved';
  session.commandLine = CREDENTIALS;
  if (line === 'too-long') return authTooLong(session);
  if (line === 'endless') return ENDLESS;
  return line === 'bare-lf' ? BARE_LF : continueAuth(session, line.toString('latin1'));
}

const CREDENTIALS = '(credentials left out)';

function command(session: SmtpSession): Step {
  if (session.exchange) return authLine(session);
  const line = session.connection.input.takeLine(session.longestLine);
  switch (line) {
    case 'incomplete':
      return 'starved';
    case 'too-long':
      return unread(session, '(a line too long)', TOO_LONG);
    case 'endless':
      return unread(session, '(a line without end)', ENDLESS);
    case 'bare-lf':
      return unread(session, '(a line ended by LF alone)', BARE_LF);
  }
  const read = readCommand(line);
  if (!read) return unread(session, '(no text)', BAD_GREETING.test(line.toString('latin1')) ? BAD_NAME : NO_TEXT);
  const { text, verb, argument } = read;
  const secret = session.secretMayFollow;
  session.secretMayFollow = false;
  const handler = VERBS.get(verb);
  if (line.length > session.policy.maxCommandLineBytes - CRLF_BYTES && handler !== auth)
    return unread(session, '(a line too long)', TOO_LONG);
  if (handler) {
    session.commandLine = text;
    return handler(session, argument);
  }
  if (verb === 'PROXY' && session.trustedProxy) return unread(session, text, LATE_PROXY);
  return unread(session, secret ? CREDENTIALS : text, HTTP.test(verb) ? NOT_SMTP : UNKNOWN);
}

function unread(session: SmtpSession, shown: string, reply: Reply): Reply {
  session.commandLine = shown;
  return reply;
}

function receive(session: SmtpSession, receiving: Receiving): Step {
  const { transaction, connection } = session;
  const pastDeadline = transaction?.content && isPastDeadline(session, transaction);
  if (pastDeadline) return { code: 421, enhanced: '4.4.2', text: 'the message took too long', close: true };
  if (connection.input.length === 0 && !(receiving.kind === 'chunk' && receiving.remainingBytes === 0))
    return 'starved';
  const done = receiving.kind === 'data' ? receiveData(session) : receiveChunk(session, receiving);
  const content = transaction?.content;
  if (done) return receiving.kind === 'data' ? finish(session, transaction!) : finishChunk(session, receiving);
  connection.expectWithin(session.policy.dataTimeoutMs);
  if (content && isHopeless(session, transaction)) return { ...TOO_LARGE, close: true };
  if (content?.full) {
    content.full = false;
    return content.spool.drained().then(() => undefined);
  }
  return 'starved';
}

/** Returns whether the end of data was reached. */
function receiveData({ connection, decoder, write }: SmtpSession): boolean {
  const bytes = connection.input.takeAll();
  const rest = decoder.push(bytes, 0, write);
  if (rest < 0) return false;
  if (rest < bytes.length) connection.input.giveBack(bytes.subarray(rest));
  return true;
}

/** Returns whether the whole chunk was received. */
function receiveChunk({ connection, write }: SmtpSession, chunk: Receiving & { kind: 'chunk' }): boolean {
  const bytes = connection.input.takeAll();
  const taken = Math.min(bytes.length, chunk.remainingBytes);
  if (taken > 0 && !chunk.refusal) write(taken === bytes.length ? bytes : bytes.subarray(0, taken), false);
  chunk.remainingBytes -= taken;
  connection.input.giveBack(bytes.subarray(taken));
  return chunk.remainingBytes === 0;
}

function isPastDeadline({ services, policy }: SmtpSession, { content }: MailTransaction): boolean {
  return services.clock.now() - content!.startedAt > policy.messageTimeoutMs;
}

/** As much again as the limit has been dropped: the client will not stop. */
function isHopeless({ policy }: SmtpSession, transaction: MailTransaction | undefined): boolean {
  return (transaction?.content?.sizeBytes ?? 0) > 2 * policy.maxMessageBytes;
}

function finish(session: SmtpSession, transaction: MailTransaction): MaybePromise<Reply> {
  session.receiving = undefined;
  session.commandLine = undefined;
  return acceptMessage(session, transaction);
}

function finishChunk(session: SmtpSession, { refusal, last, sizeBytes }: Receiving & { kind: 'chunk' }): Step {
  session.receiving = undefined;
  if (refusal) return refusal;
  const transaction = session.transaction!;
  const isTooLarge = transaction.content!.refusal === 'too-large';
  if (last || isTooLarge) {
    if (session.commandLine !== undefined) addClientLine(transaction.dialogue, session.commandLine);
    const reply = finish(session, transaction);
    // The rest of it would still be sent, chunk by chunk.
    return isTooLarge ? andThen(reply, (said) => ({ ...said, close: true })) : reply;
  }
  return { code: 250, enhanced: '2.0.0', text: `${sizeBytes} octets received` };
}
