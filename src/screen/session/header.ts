/** The header of a message, inspected once for all checks and for the log. */
import type { ContentRef } from '../../model/content.ts';
import { andThen, type MaybePromise } from '../../model/maybe-promise.ts';
import { createHeaderEnd } from '../../protocol/mime/header-end.ts';
import { inspectHeader } from '../../protocol/mime/inspect-header.ts';
import { MIME_LIMITS } from '../../protocol/mime/limits.ts';
import type { HeaderFacts } from '../../protocol/mime/types.ts';
import { loopStep } from '../../world/loop-watch.ts';
import type { MessageFacts } from '../contract.ts';

export interface ReadHeader {
  readonly facts: HeaderFacts;
  /** The bytes that were read: the header, and perhaps more. */
  readonly head: Uint8Array;
}

/** At once if the content is in memory. `about`: the session. Errors: those of `ContentRef.open`. */
export function readHeader(content: ContentRef, about?: string): MaybePromise<ReadHeader> {
  const bytes = content.bytes ?? (content.pieces ? asFarAsHeader(content.pieces) : readAsFarAsHeader(content));
  return andThen(bytes, (head) => ({
    facts: loopStep('header', about, () => inspectHeader(head, head.length === content.sizeBytes)),
    head,
  }));
}

function asFarAsHeader(pieces: readonly Uint8Array[]): Uint8Array {
  const end = createHeaderEnd();
  const last = pieces.findIndex((piece) => end.push(piece) !== undefined);
  return last === 0 ? pieces[0]! : Buffer.concat(last < 0 ? pieces : pieces.slice(0, last + 1));
}

async function readAsFarAsHeader(content: ContentRef): Promise<Uint8Array> {
  const end = createHeaderEnd();
  const chunks: Uint8Array[] = [];
  // One byte more than the bound, so that the reader notices that it was passed.
  for await (const chunk of content.open({ start: 0, end: Math.min(content.sizeBytes, MIME_LIMITS.headerBytes + 1) })) {
    chunks.push(chunk as Uint8Array);
    if (end.push(chunk as Uint8Array) !== undefined) break;
  }
  return Buffer.concat(chunks);
}

/** For a message that was refused before it was read. `head`: its beginning. */
export function headFacts(head: Uint8Array): MessageFacts {
  return messageFacts(inspectHeader(head, false));
}

export function messageFacts({ subject, author, messageId }: HeaderFacts): MessageFacts {
  return { subject, headerFrom: author.shown, messageIdHeader: messageId };
}
