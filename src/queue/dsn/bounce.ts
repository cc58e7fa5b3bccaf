/**
 * Reports to the sender (RFC 3461 6, RFC 3464): a new message from the null reverse-path, so that no
 * report ever causes another.
 */
import type { Address } from '../../model/address.ts';
import type { ByteRange, ContentRef } from '../../model/content.ts';
import { isOperational } from '../../model/errors.ts';
import type { Direction } from '../../model/finding.ts';
import { composeDsn, type DsnRecipientTexts, recipientTexts } from '../../protocol/dsn/compose.ts';
import { needsUtf8 } from '../../protocol/dsn/status-fields.ts';
import type { Dsn, DsnReport, Returned } from '../../protocol/dsn/types.ts';
import type { Spool, StagedContent } from '../../store/contract.ts';
import { loopStep } from '../../world/loop-watch.ts';
import { turn } from '../../world/turn.ts';
import type { NewMessage, NewRecipient } from '../contract.ts';
import type { Leased } from '../dispatch/active-claims.ts';
import { NOTICE_RECIPIENTS, RETURNED_FULL_BYTES, RETURNED_HEADER_BYTES } from '../limits.ts';
import type { QueueParts } from '../parts.ts';
import { dsnRecipient, type Notice } from './notices.ts';

export interface NoticeParts extends QueueParts {
  newId(): string;
}

/** The message that a report is about. */
export type Reported = Pick<Leased, 'message' | 'detail' | 'content'>;

/** Undefined: there is nobody to tell. The caller queues the message, or discards its content. */
export async function composeNotice(
  parts: NoticeParts,
  about: Reported,
  notices: readonly Notice[],
): Promise<NewMessage | undefined> {
  const { clock, random, hostname, events, blobs } = parts;
  const to = about.message.reversePath;
  if (to === null) return undefined;
  const id = parts.newId();
  const now = clock.now();
  const report = {
    reportingMta: hostname,
    from: `mailer-daemon@${hostname}`,
    to: to.text,
    arrivedAt: about.message.receivedAt,
    envid: about.message.envid,
    subject: about.detail.subject,
    originalMessageId: about.detail.messageIdHeader,
    recipients: notices.map(dsnRecipient),
    date: now,
    messageId: `<${id}@${hostname}>`,
    boundary: `postern-${Buffer.from(random.bytes(18)).toString('hex')}`,
  };
  const failed = notices.some(({ action }) => action === 'failed');
  const returned = await returnedOf(about, failed);
  const texts = await textsInTurns(report, about.message.id);
  let dsn = loopStep('delivery-report', about.message.id, () => composeDsn({ ...report, returned }, texts));
  let content: StagedContent;
  try {
    content = await staged(blobs.spool(), dsn, about.content);
  } catch (error) {
    // The original cannot be read: its sender is told all the same.
    if (!isOperational(error, 'content.missing') && !isOperational(error, 'content.corrupt')) throw error;
    dsn = composeDsn({ ...report, returned: { kind: 'none' } }, texts);
    content = await staged(blobs.spool(), dsn, about.content);
  }
  events.emit('queue.notice-queued', { message: about.message.id, notice: id, action: notices[0]!.action });
  return {
    id,
    author: `@${hostname}`,
    reversePath: null,
    body: dsn.body,
    smtputf8: dsn.smtputf8,
    receivedAt: now,
    content,
    trace: '',
    detail: {
      subject: dsn.subject,
      headerFrom: report.from,
      messageIdHeader: report.messageId,
      evidence: {},
      findings: [],
    },
    recipients: await recipientsFor(parts, to),
  };
}

/** A message may have a thousand recipients: others have their turn between some of them and the next. */
async function textsInTurns(report: Pick<DsnReport, 'recipients'>, about: string): Promise<DsnRecipientTexts[]> {
  const utf8 = needsUtf8(report);
  const texts: DsnRecipientTexts[] = [];
  while (texts.length < report.recipients.length) {
    if (texts.length > 0) await turn();
    const next = report.recipients.slice(texts.length, texts.length + NOTICE_RECIPIENTS);
    texts.push(...loopStep('delivery-report', about, () => recipientTexts(next, utf8)));
  }
  return texts;
}

/**
 * RFC 3461 4.3: RET speaks of failures only; everything else gets the header. What the sender sent is returned
 * (RFC 6522 3), without the changes of a recipient's variant: it may be sent anew, and shows nothing of our checks.
 */
async function returnedOf({ message, content }: Reported, failed: boolean): Promise<Returned> {
  const { ret, body, smtputf8 } = message;
  const { sizeBytes } = content;
  try {
    const header = await headerOf(content);
    const isFull = failed && ret === 'full' && body !== 'BINARYMIME' && sizeBytes <= RETURNED_FULL_BYTES;
    return isFull ? { kind: 'full', sizeBytes, body, smtputf8, header } : { kind: 'headers', header };
  } catch (error) {
    if (!isOperational(error)) throw error;
    return { kind: 'none' };
  }
}

async function headerOf(content: ContentRef): Promise<Uint8Array> {
  const range: ByteRange = { start: 0, end: Math.min(content.sizeBytes, RETURNED_HEADER_BYTES) };
  const start = content.bytes
    ? Buffer.from(content.bytes.buffer, content.bytes.byteOffset, range.end)
    : Buffer.concat(await Array.fromAsync(content.open(range) as AsyncIterable<Uint8Array>));
  const end = start.indexOf('\r\n\r\n');
  return end < 0 ? start.subarray(0, start.lastIndexOf('\r\n') + 2) : start.subarray(0, end + 2);
}

async function staged(spool: Spool, dsn: Dsn, original: ContentRef): Promise<StagedContent> {
  try {
    for (const segment of dsn.segments) {
      if (segment.kind === 'bytes') await put(spool, segment.bytes);
      else for await (const chunk of original.open(segment)) await put(spool, chunk);
    }
  } catch (error) {
    spool.discard();
    throw error;
  }
  return spool.finish();
}

async function put(spool: Spool, chunk: Uint8Array): Promise<void> {
  if (!spool.write(chunk)) await spool.drained();
}

/** A local sender is found as any local recipient is; whom the directory cannot tell, delivery will. */
export async function recipientsFor(
  { directory }: Pick<QueueParts, 'directory'>,
  to: Address,
): Promise<(NewRecipient & { readonly notify: 'never' })[]> {
  const resolution = await directory.resolve(to);
  const isLocal = resolution.kind === 'local' || resolution.kind === 'role';
  const targets = isLocal && resolution.targets.length > 0 ? resolution.targets : [to];
  const direction: Direction = resolution.kind === 'remote' ? 'outbound' : 'internal';
  return targets.map((address) => ({
    address,
    original: to,
    // RFC 3461 6.1: a report asks for no reports.
    notify: 'never',
    direction,
    destination: address.domain,
    state: 'queued',
  }));
}
