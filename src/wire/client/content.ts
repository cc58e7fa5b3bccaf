/**
 * Outgoing content: BDAT unchanged (RFC 3030), DATA dot-stuffed (RFC 5321 4.5.2) and with CRLF line ends only.
 *
 * A bare CR or LF should never come this far; if one does, DATA turns it into a line end, since peers disagree about
 * its meaning and a message could end, or begin, in the middle of this one.
 */
import { createDotStuffer } from '../../protocol/smtp/dot-stuffing.ts';
import { hasOnlyCrlf } from '../../protocol/smtp/line-scan.ts';

const CR = Buffer.from('\r');
const CRLF = Buffer.from('\r\n');

export interface DataEncoder {
  /** Adds the bytes to write for `chunk` to `out`. `isGuarded`: all its line ends are whole and CRLF. */
  push(chunk: Buffer, out: Buffer[], isGuarded?: boolean): void;
  /** Adds the rest, and the final dot. */
  end(out: Buffer[]): void;
}

export function createDataEncoder(): DataEncoder {
  const dots = createDotStuffer();
  /** The last chunk ended with a CR, which is held back until the next byte shows whether an LF follows. */
  let heldCr = false;
  return {
    push(chunk, out, isGuarded = false) {
      if (chunk.length === 0) return;
      const endsInCr = chunk[chunk.length - 1] === 13;
      // A clean chunk passes uncopied.
      if (!heldCr && (isGuarded || (!endsInCr && hasOnlyCrlf(chunk)))) return dots.push(chunk, out);
      const whole = heldCr ? Buffer.concat([CR, chunk]) : chunk;
      heldCr = endsInCr;
      const settled = endsInCr ? whole.subarray(0, -1) : whole;
      if (hasOnlyCrlf(settled)) return dots.push(settled, out);
      dots.push(withCrlf(settled), out);
    },
    end(out) {
      if (heldCr) dots.push(CRLF, out);
      out.push(dots.end());
    },
  };
}

/** CRLF for each bare CR and bare LF; in one piece, as there may be as many as bytes. */
function withCrlf(chunk: Buffer): Buffer {
  return Buffer.from(chunk.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'), 'latin1');
}

/** Encodes a message that is in memory, including its end. `guarded`: the pieces known to have no bare CR or LF. */
export function encodeWhole(pieces: readonly Buffer[], guarded: readonly Buffer[] = []): readonly Buffer[] {
  const encoder = createDataEncoder();
  const out: Buffer[] = [];
  for (const piece of pieces) encoder.push(piece, out, guarded.includes(piece));
  encoder.end(out);
  return out;
}
