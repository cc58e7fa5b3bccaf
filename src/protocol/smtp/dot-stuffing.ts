/**
 * Transparency of outgoing data (RFC 5321 4.5.2): one more dot before every line that begins with one, and the end of
 * data. Content arrives in any chunks and leaves as slices of them, never copied.
 */
import { isStuffable, lines } from './line-scan.ts';

export interface DotStuffer {
  /** Adds what to write for this chunk to `out`, in order. */
  push(chunk: Buffer, out: Buffer[]): void;
  /** The bytes that end the data: CRLF first if the content does not end with one. */
  end(): Buffer;
}

const DOT = Buffer.from('.');
/** In one chunk; if more lines begin with a dot, slices cost more than a copy. */
const DOTS_IN_SLICES = 64;
const END_AFTER_LINE = Buffer.from('.\r\n');
const END_WITHIN_LINE = Buffer.from('\r\n.\r\n');

export function createDotStuffer(): DotStuffer {
  let place: 'line-start' | 'after-cr' | 'within-line' = 'line-start';

  /** Dots at the very start of the chunk whose line end was in an earlier one. */
  const stuffsAt = (chunk: Buffer): number => {
    if (place === 'line-start') return chunk[0] === 0x2e ? 0 : -1;
    return place === 'after-cr' && chunk[0] === 0x0a && chunk[1] === 0x2e ? 1 : -1;
  };

  return {
    push(chunk, out) {
      if (chunk.length === 0) return;
      let from = 0;
      let at = stuffsAt(chunk);
      place = placeAfter(chunk, place);
      lines.begin(chunk);
      if (at < 0) at = nextStuff(chunk, 0);
      for (let found = 0; at >= 0; found++) {
        if (found === DOTS_IN_SLICES) return void out.push(chunk.subarray(from, at), stuffed(chunk.subarray(at)));
        if (at > from) out.push(chunk.subarray(from, at));
        out.push(DOT);
        from = at;
        at = nextStuff(chunk, at + 1);
      }
      out.push(from === 0 ? chunk : chunk.subarray(from));
    },
    end() {
      return place === 'line-start' ? END_AFTER_LINE : END_WITHIN_LINE;
    },
  };
}

/** For a chunk that begins with a dot at the beginning of a line: all at once. */
function stuffed(chunk: Buffer): Buffer {
  return Buffer.from(`.${chunk.toString('latin1').replaceAll('\r\n.', '\r\n..')}`, 'latin1');
}

function nextStuff(chunk: Buffer, from: number): number {
  let found = lines.next(chunk, from);
  while (found >= 0 && !isStuffable(chunk, found)) found = lines.next(chunk, found + 1);
  return found;
}

function placeAfter<P extends string>(chunk: Buffer, before: P): P | 'line-start' | 'after-cr' | 'within-line' {
  const last = chunk[chunk.length - 1];
  if (last === 0x0d) return 'after-cr';
  if (last !== 0x0a) return 'within-line';
  const afterCr = chunk.length > 1 ? chunk[chunk.length - 2] === 0x0d : before === 'after-cr';
  return afterCr ? 'line-start' : 'within-line';
}
