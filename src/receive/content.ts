/**
 * The content of one message on its way into the spool: counted, checked for newlines and NUL, bounded.
 *
 * Once it cannot be accepted any more, its spool is freed and the rest only read and dropped, so that the next
 * command is found.
 */
import { isAscii } from 'node:buffer';
import type { BodyType } from '../model/envelope.ts';
import { type ContentFaults, type ContentGuard, createContentGuard } from '../protocol/smtp/content-guard.ts';
import type { Spool } from '../store/contract.ts';

export interface IncomingContent {
  readonly spool: Spool;
  /** Bytes received, dots removed; the size limit counts these. */
  sizeBytes: number;
  eightBit: boolean;
  /** The rest of refused content: the spool does not get it. */
  rest: Buffer | undefined;
  refusal: 'too-large' | 'abandoned' | undefined;
  /** The spool asked to wait. */
  full: boolean;
  readonly startedAt: number;
  readonly guard: ContentGuard;
  readonly maxBytes: number;
  readonly store: (slice: Buffer) => void;
}

export interface ContentRules {
  readonly body: BodyType;
  readonly maxBytes: number;
  readonly bareNewlines: 'refuse' | 'normalise';
  readonly nulCharacters: 'refuse' | 'accept';
  readonly startedAt: number;
}

export function openContent(
  spool: Spool,
  { body, maxBytes, bareNewlines, nulCharacters, startedAt }: ContentRules,
): IncomingContent {
  const content: IncomingContent = {
    spool,
    sizeBytes: 0,
    eightBit: false,
    rest: undefined,
    refusal: undefined,
    full: false,
    startedAt,
    guard: createContentGuard({ newlines: bareNewlines, nul: nulCharacters, isBinary: body === 'BINARYMIME' }),
    maxBytes,
    store(slice) {
      if (!content.eightBit && !isAscii(slice)) content.eightBit = true;
      if (!spool.write(slice)) content.full = true;
    },
  };
  return content;
}

/** `isPlain`: as in ContentGuard.push. */
export function writeContent(content: IncomingContent, slice: Buffer, isPlain: boolean): void {
  const { guard } = content;
  content.sizeBytes += slice.length;
  if (content.refusal !== undefined) return;
  if (content.sizeBytes > content.maxBytes) refuse(content, 'too-large');
  else guard.push(slice, content.store, isPlain);
  if (content.refusal !== undefined || guard.refuses) content.rest ??= Buffer.from(slice);
}

/** The beginning as received, refused or not: enough to identify the message. */
export function headOf({ spool, rest }: IncomingContent): Uint8Array {
  return rest ? Buffer.concat([spool.head, rest]) : spool.head;
}

/** Call it at the end of the content: returns the faults that were found. */
export function endContent(content: IncomingContent): ContentFaults {
  return content.guard.finish(content.store);
}

/** Frees the spool; further bytes are only counted. */
export function refuse(content: IncomingContent, refusal: NonNullable<IncomingContent['refusal']>): void {
  if (content.refusal !== undefined) return;
  content.refusal = refusal;
  content.full = false;
  content.spool.discard();
}
