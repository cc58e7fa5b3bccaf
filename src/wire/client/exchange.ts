/**
 * Transactions over an open session: MAIL, RCPT, DATA or BDAT, and a verdict for every recipient.
 *
 * One write where PIPELINING is offered (RFC 2920), with the content in it where CHUNKING is too and the message is
 * small; else command by command. Replies are matched by order, without a promise a line. Each recipient gets exactly
 * one verdict, even after a failure: a recipient that was neither refused nor acknowledged is deferred, so a message
 * may arrive twice, and is never lost.
 */
import type { Recipient } from '../../model/envelope.ts';
import type { Reply } from '../../model/reply.ts';
import type { PeerExtensions } from '../../protocol/smtp/ehlo-reply.ts';
import { formatMail, formatRcpt } from '../../protocol/smtp/format-command.ts';
import { wireLine } from '../../protocol/text/unsafe.ts';
import { createDataEncoder, encodeWhole } from './content.ts';
import { CLIENT_LIMITS } from './limits.ts';
import type { Lost, Transport } from './transport.ts';
import type { ClientTimeouts, ClientTransaction, Step, Suspicion, TransactionEnd, TransactionResult } from './types.ts';

export interface Exchange {
  /** Only while none is under way. `done` is called once. */
  send(transaction: ClientTransaction, done: (end: TransactionEnd) => void): void;
  /** Closes before the end of data, and calls `done` no more; false, and no effect, once the end was sent. */
  stop(): boolean;
}

/** How the content is sent: `bdat-at-once` in the same write as MAIL. */
type Way = 'data' | 'bdat' | 'bdat-at-once';

export function createExchange(transport: Transport, extensions: PeerExtensions, timeouts: ClientTimeouts): Exchange {
  const { pipelining } = extensions;
  let step: Step = 'idle';
  let transaction: ClientTransaction;
  let done: (end: TransactionEnd) => void;
  let way: Way;
  let verdicts: (TransactionResult | undefined)[];
  /** Recipients that RCPT accepted. */
  let accepted: number;
  let nextRcpt: number;
  let answers: number;
  let isSending: boolean;
  let suspicion: Suspicion | undefined;
  let sourceError: unknown;

  function send(next: ClientTransaction, whenDone: (end: TransactionEnd) => void) {
    transaction = next;
    done = whenDone;
    way = chooseWay(next);
    verdicts = [];
    accepted = nextRcpt = answers = 0;
    isSending = false;
    suspicion = sourceError = undefined;
    step = 'mail';
    transport.arm(timeouts.commandMs);
    if (!pipelining) return void transport.write(mailLine());
    let commands = mailLine();
    for (const recipient of next.recipients) commands += rcptLine(recipient);
    if (way === 'data') return void transport.write(`${commands}DATA\r\n`);
    if (way === 'bdat' || next.content.kind === 'stream') return void transport.write(commands);
    transport.writeAll([Buffer.from(commands + bdatLine()), ...next.content.pieces]);
  }

  function chooseWay({ content, body }: ClientTransaction): Way {
    const exact = content.kind === 'whole' || content.exact;
    // BINARYMIME cannot go by DATA (RFC 3030 3).
    if (!extensions.chunking || !(exact || body === 'BINARYMIME')) return 'data';
    const small = content.kind === 'whole' && content.sizeBytes <= CLIENT_LIMITS.oneWriteBytes;
    return small && pipelining ? 'bdat-at-once' : 'bdat';
  }

  function mailLine(): string {
    const { reversePath, body, content, smtputf8, ret, envid } = transaction;
    const line = formatMail(reversePath, {
      sizeBytes: extensions.size && content.sizeBytes,
      body: body === '7BIT' ? undefined : body,
      smtputf8,
      ret: extensions.dsn ? ret : undefined,
      envid: extensions.dsn ? envid : undefined,
    });
    return wireLine(line);
  }

  function rcptLine(recipient: Recipient): string {
    const asked = extensions.dsn ? recipient : { address: recipient.address };
    return wireLine(formatRcpt(asked, transaction.smtputf8));
  }

  function bdatLine(): string {
    return `BDAT ${transaction.content.sizeBytes} LAST\r\n`;
  }

  function say(line: string, next: Step, withinMs: number) {
    step = next;
    transport.arm(withinMs);
    transport.write(line);
  }

  /** Gives `reply` to every recipient that has no verdict yet. */
  function settleRest(outcome: TransactionResult['outcome'], reply: Reply, remote: boolean) {
    const verdict: TransactionResult = { outcome, reply, remote, step };
    for (let i = 0; i < transaction.recipients.length; i++) verdicts[i] ??= verdict;
  }

  function finish(reusable: boolean, unanswered = false) {
    step = 'idle';
    if (reusable) transport.disarm();
    else transport.close();
    const end = done;
    end({ verdicts: verdicts as TransactionResult[], reusable, unanswered, suspicion, sourceError });
  }

  /** The connection is of no more use; a recipient without a verdict is tried again later. */
  function giveUp(reason: string, status: string) {
    const unanswered = answers === 0;
    settleRest('deferred', { code: 451, enhanced: status, text: reason }, false);
    finish(false, unanswered);
  }

  function lost({ kind, reason }: Lost) {
    if (step === 'idle') return;
    // The peer offered PIPELINING and lost track of the commands.
    if (pipelining && kind !== 'closed' && (step === 'rcpt' || step === 'data')) suspicion = 'pipelining';
    if (way !== 'data' && step === 'final' && kind === 'garbage') suspicion = 'chunking';
    const where =
      step === 'final' && !isSending ? ' after the end of data: the message may arrive twice' : ` at ${step}`;
    giveUp(`${reason}${where}`, '4.4.2');
  }

  function received(reply: Reply) {
    const { code } = reply;
    // A reply out of turn, usually 421: the connection is of no more use.
    if (step === 'idle') return transport.close();
    if (code === 421) return serviceClosing(reply);
    answers++;
    if (step === 'mail') mailAnswered(reply);
    else if (step === 'rcpt') rcptAnswered(reply);
    else if (step === 'data') dataAnswered(reply);
    else if (step === 'rset') finish(code === 250);
    else finalAnswered(reply);
  }

  /**
   * Once the end of data was written here, the peer may have it. If every recipient has a verdict, it is too late as
   * well.
   */
  function mayStop(): boolean {
    if (step === 'content') return isSending;
    return way !== 'bdat-at-once' && (step === 'mail' || step === 'rcpt' || step === 'data');
  }

  function stop(): boolean {
    if (!mayStop()) return false;
    step = 'idle';
    transport.close();
    return true;
  }

  /** RFC 5321 3.8: the peer closes; it is not responsible for a message that it has not acknowledged. */
  function serviceClosing(reply: Reply) {
    const unanswered = answers === 0;
    settleRest('deferred', reply, true);
    finish(false, unanswered);
  }

  function outOfTurn(reply: Reply) {
    giveUp(`the peer answered ${reply.code} at ${step}, which makes no sense there`, '4.5.0');
  }

  function mailAnswered(reply: Reply) {
    const { code } = reply;
    if (code >= 300 && code < 400) return outOfTurn(reply);
    if (code >= 400) settleRest(code >= 500 ? 'failed' : 'deferred', reply, true);
    step = 'rcpt';
    if (pipelining) return transport.arm(timeouts.commandMs);
    if (code >= 400) return finish(true);
    say(rcptLine(transaction.recipients[0]!), 'rcpt', timeouts.commandMs);
  }

  function rcptAnswered(reply: Reply) {
    const { code } = reply;
    if (code >= 300 && code < 400) return outOfTurn(reply);
    const at = nextRcpt++;
    if (verdicts[at] === undefined) {
      if (code < 300) accepted++;
      else if (pipelining && code === 503) return distrust('pipelining', reply);
      else verdicts[at] = { outcome: code >= 500 ? 'failed' : 'deferred', reply, remote: true, step };
    }
    if (nextRcpt < transaction.recipients.length) {
      transport.arm(timeouts.commandMs);
      if (!pipelining) say(rcptLine(transaction.recipients[nextRcpt]!), 'rcpt', timeouts.commandMs);
      return;
    }
    recipientsAnswered();
  }

  /** The peer answers as if it had lost a command that was sent with others: not the message's fault. */
  function distrust(what: Suspicion, reply: Reply) {
    suspicion = what;
    settleRest('deferred', reply, true);
    finish(false);
  }

  function recipientsAnswered() {
    if (way === 'bdat-at-once') return awaitFinal();
    if (way === 'data' && pipelining) {
      step = 'data';
      return transport.arm(timeouts.dataMs);
    }
    if (accepted === 0) return reset();
    if (way === 'data') return say('DATA\r\n', 'data', timeouts.dataMs);
    step = 'final';
    transport.write(bdatLine());
    sendContent();
  }

  function dataAnswered(reply: Reply) {
    const { code } = reply;
    if (code < 300) return outOfTurn(reply);
    if (code >= 400) {
      // The accepted recipients remain until RSET (RFC 5321 4.1.1.5).
      if (accepted > 0 && pipelining && code === 503) return distrust('pipelining', reply);
      settleRest(code >= 500 ? 'failed' : 'deferred', reply, true);
      return reset();
    }
    if (accepted > 0) return sendContent();
    // RFC 2920 3.1: 354 though every recipient was refused; an empty message, which nobody receives.
    say('.\r\n', 'final', timeouts.finalMs);
  }

  function reset() {
    say('RSET\r\n', 'rset', timeouts.commandMs);
  }

  function awaitFinal() {
    step = 'final';
    transport.arm(timeouts.finalMs);
  }

  function sendContent() {
    const { content } = transaction;
    step = 'content';
    if (content.kind === 'stream') return void sendStream(content);
    transport.writeAll(way === 'data' ? encodeWhole(content.pieces, content.guarded) : content.pieces);
    awaitFinal();
  }

  /** Blocks with back-pressure; a source that fails closes the connection before the end of data. */
  async function sendStream(content: Extract<ClientTransaction['content'], { kind: 'stream' }>): Promise<void> {
    isSending = true;
    const mine = transaction;
    const stillMine = (): boolean => transport.isOpen() && transaction === mine && step === 'content';
    const encoder = way === 'data' ? createDataEncoder() : undefined;
    const slowestMs = timeouts.blockMs + (content.sizeBytes / CLIENT_LIMITS.slowestBytesPerSecond) * 1000;
    const startedAt = transport.now();
    try {
      for await (const chunk of content.open()) {
        if (!stillMine()) return;
        const left = startedAt + slowestMs - transport.now();
        transport.arm(Math.min(timeouts.blockMs, left));
        const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
        const out: Buffer[] = [];
        if (encoder) encoder.push(buffer, out);
        else out.push(buffer);
        if (!transport.writeAll(out)) await transport.drained();
      }
    } catch (error) {
      if (!stillMine()) return;
      sourceError = error;
      return giveUp(`the content could not be read: ${(error as Error).message}`, '4.3.0');
    }
    if (!stillMine()) return;
    if (encoder) {
      const out: Buffer[] = [];
      encoder.end(out);
      transport.writeAll(out);
    }
    isSending = false;
    awaitFinal();
  }

  function finalAnswered(reply: Reply) {
    const { code } = reply;
    if (code >= 300 && code < 400) return outOfTurn(reply);
    if (isSending || transport.hasUnsent()) return answeredTooEarly(reply);
    const unknownCommand = code === 500 || code === 502 || code === 503 || code === 504;
    if (way !== 'data' && unknownCommand && accepted > 0) return distrust('chunking', reply);
    settleRest(code < 300 ? 'accepted' : code < 500 ? 'deferred' : 'failed', reply, true);
    // After a refused BDAT the transaction is open until RSET (RFC 3030 2).
    if (way !== 'data' && code >= 300) return reset();
    finish(true);
  }

  /** A refusal in the middle of the content is final; acceptance of content that was not sent means nothing. */
  function answeredTooEarly(reply: Reply) {
    if (reply.code < 300) return outOfTurn(reply);
    settleRest(reply.code >= 500 ? 'failed' : 'deferred', reply, true);
    finish(false);
  }

  transport.received = received;
  transport.lost = lost;
  transport.disarm();
  return { send, stop };
}
