/**
 * Content on its way out: BDAT as it is (RFC 3030), DATA dot-stuffed (RFC 5321 4.5.2) and with CRLF
 * line ends only.
 *
 * A bare CR or LF should never come this far; if one does, DATA makes a line end of it, since peers
 * disagree about what it means and a message could end, or begin, in the middle of this one.
 */
import { createDotStuffer, type DotStuffer } from '../../protocol/smtp/dot-stuffing.ts';
import { bareNewline } from '../../protocol/smtp/newlines.ts';
import { CLIENT_LIMITS } from './limits.ts';

const CRLF = Buffer.from('\r\n');

export interface DataEncoder {
  /** `isGuarded`: all its line ends are whole and CRLF. */
  push(chunk: Buffer, isGuarded?: boolean): readonly Buffer[];
  /** What is left, and the final dot. */
  end(): readonly Buffer[];
}

export function createDataEncoder(): DataEncoder {
  const dots = createDotStuffer();
  const lines = createLineEnds();
  return {
    push(chunk, isGuarded = false) {
      const clean = lines.push(chunk, isGuarded);
      return clean.length === 1 ? dots.push(clean[0]!) : stuffAll(dots, clean);
    },
    end() {
      const rest = lines.end();
      return [...stuffAll(dots, rest), dots.end()];
    },
  };
}

function stuffAll(dots: DotStuffer, chunks: readonly Buffer[]): readonly Buffer[] {
  return chunks.flatMap((chunk) => dots.push(chunk));
}

/** CRLF for each bare CR and bare LF; whatever is clean passes as it is, uncopied. */
function createLineEnds(): { push(chunk: Buffer, isGuarded: boolean): readonly Buffer[]; end(): readonly Buffer[] } {
  /** The last chunk ended with a CR, which is held back until its LF comes, or does not. */
  let heldCr = false;
  return {
    push(chunk, isGuarded) {
      if (chunk.length === 0) return [];
      const last = chunk.length - 1;
      if (!heldCr && (isGuarded || (chunk[last] !== 13 && hasOnlyCrlf(chunk)))) return [chunk];
      const whole = heldCr ? Buffer.concat([CRLF.subarray(0, 1), chunk]) : chunk;
      heldCr = chunk[last] === 13;
      const settled = heldCr ? whole.subarray(0, -1) : whole;
      return hasOnlyCrlf(settled) ? [settled] : withCrlf(settled);
    },
    end: () => (heldCr ? [CRLF] : []),
  };
}

function hasOnlyCrlf(chunk: Buffer): boolean {
  return bareNewline(chunk.toString('latin1')) === 'none';
}

function withCrlf(chunk: Buffer): readonly Buffer[] {
  const out: Buffer[] = [];
  let from = 0;
  for (let i = 0; i < chunk.length; i++) {
    const octet = chunk[i]!;
    if (octet !== 13 && octet !== 10) continue;
    out.push(chunk.subarray(from, i), CRLF);
    if (octet === 13 && chunk[i + 1] === 10) i++;
    from = i + 1;
  }
  out.push(chunk.subarray(from));
  return out.filter((piece) => piece.length > 0);
}

/**
 * All of a message that is in memory, ended: in one buffer while it is small, else in few, so that no
 * more is copied than must be. `guarded`: the pieces known to have no bare CR or LF.
 */
export function encodeWhole(pieces: readonly Buffer[], guarded: readonly Buffer[] = []): readonly Buffer[] {
  const encoder = createDataEncoder();
  const out: Buffer[] = [];
  let sizeBytes = 0;
  const add = (part: Buffer): void => {
    sizeBytes += part.length;
    out.push(part);
  };
  for (const piece of pieces) encoder.push(piece, guarded.includes(piece)).forEach(add);
  encoder.end().forEach(add);
  const isWorthCopying = sizeBytes < CLIENT_LIMITS.copiedBytes || out.length > CLIENT_LIMITS.piecesInOneWrite;
  return isWorthCopying ? [Buffer.concat(out, sizeBytes)] : out;
}
