/**
 * The content of one message on its way into the spool: counted, newlines checked, bounded.
 *
 * Once it cannot be accepted any more its spool is freed and the rest only read and dropped, so that
 * the next command is found where it is.
 */
import { isAscii } from 'node:buffer';
import type { BodyType } from '../model/envelope.ts';
import { type BareNewlines, createNewlineGuard, type NewlineGuard } from '../protocol/smtp/newlines.ts';
import type { Spool } from '../store/contract.ts';

export interface IncomingContent {
  readonly spool: Spool;
  /** Octets received, dots removed; what the size limit counts. */
  sizeBytes: number;
  eightBit: boolean;
  /** How it went on where it was refused: the spool does not get that. */
  rest: Buffer | undefined;
  refusal: 'too-large' | 'abandoned' | undefined;
  /** The spool asked to wait. */
  full: boolean;
  readonly startedAt: number;
  /** Absent for BINARYMIME, which has no lines (RFC 3030 3). */
  readonly guard: NewlineGuard | undefined;
  readonly maxBytes: number;
  readonly store: (slice: Buffer) => void;
}

export interface ContentRules {
  readonly body: BodyType;
  readonly maxBytes: number;
  readonly bareNewlines: 'refuse' | 'normalise';
  readonly startedAt: number;
}

export function openContent(spool: Spool, { body, maxBytes, bareNewlines, startedAt }: ContentRules): IncomingContent {
  const content: IncomingContent = {
    spool,
    sizeBytes: 0,
    eightBit: false,
    rest: undefined,
    refusal: undefined,
    full: false,
    startedAt,
    guard: body === 'BINARYMIME' ? undefined : createNewlineGuard(bareNewlines),
    maxBytes,
    store(slice) {
      if (!content.eightBit && !isAscii(slice)) content.eightBit = true;
      if (!spool.write(slice)) content.full = true;
    },
  };
  return content;
}

/** `isPlain`: as NewlineGuard.push takes it. */
export function writeContent(content: IncomingContent, slice: Buffer, isPlain: boolean): void {
  const { guard } = content;
  content.sizeBytes += slice.length;
  if (content.refusal !== undefined) return;
  if (content.sizeBytes > content.maxBytes) refuse(content, 'too-large');
  else if (guard) guard.push(slice, content.store, isPlain);
  else content.store(slice);
  if (content.refusal !== undefined || (guard && guard.found !== 'none')) content.rest ??= Buffer.from(slice);
}

/** As it came, refused or not: enough to tell which message it was. */
export function headOf({ spool, rest }: IncomingContent): Uint8Array {
  return rest ? Buffer.concat([spool.head, rest]) : spool.head;
}

/** All octets are there: says which bare newlines were found. */
export function endContent(content: IncomingContent): BareNewlines {
  return content.guard?.finish(content.store) ?? 'none';
}

/** Frees the spool; what still comes is only counted. */
export function refuse(content: IncomingContent, refusal: NonNullable<IncomingContent['refusal']>): void {
  if (content.refusal !== undefined) return;
  content.refusal = refusal;
  content.full = false;
  content.spool.discard();
}
