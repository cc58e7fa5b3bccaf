/**
 * `relaxed` canonicalisation (RFC 6376 3.4.2 and 3.4.4): what a signature covers, however relays
 * refold a header or trim the ends of lines.
 *
 * Only CRLF ends a line; a bare CR or LF is an octet like any other. Linear; holds no more than a
 * chunk, however the chunks fall.
 */
import { createHash } from 'node:crypto';

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;

/** A field as it stands in the message, with or without its last CRLF: name, colon, value, no CRLF. */
export function relaxedField(raw: string): string {
  const colon = raw.indexOf(':');
  const name = raw.slice(0, colon).replace(/[ \t]+$/, '');
  return `${name.toLowerCase()}:${relaxedValue(raw.slice(colon + 1))}`;
}

function relaxedValue(value: string): string {
  return value
    .replaceAll('\r\n', '')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '');
}

export interface BodyHash {
  push(chunk: Uint8Array): void;
  /** Base64, as `bh=` has it. */
  end(): string;
}

/** Blank lines are held back until something follows; so many at a time are let go. */
const LINES_AT_ONCE = Buffer.from('\r\n'.repeat(1024));

export function relaxedBodyHash(): BodyHash {
  const hash = createHash('sha256');
  let heldLines = 0;
  let heldSpace = false;
  let heldCr = false;
  let isEmpty = true;

  const letLinesGo = (): void => {
    for (; heldLines > 1024; heldLines -= 1024) hash.update(LINES_AT_ONCE);
    hash.update(LINES_AT_ONCE.subarray(0, heldLines * 2));
    heldLines = 0;
  };

  return {
    push(chunk) {
      // Each octet puts out at most itself and what one was held before it.
      const out = Buffer.allocUnsafe(chunk.length * 2 + 4);
      let at = 0;
      const put = (octet: number): void => {
        if (heldLines === 1) {
          out[at++] = CR;
          out[at++] = LF;
          heldLines = 0;
        } else if (heldLines > 1) {
          hash.update(out.subarray(0, at));
          // The hash has taken its copy.
          at = 0;
          letLinesGo();
        }
        if (heldSpace) out[at++] = SPACE;
        heldSpace = false;
        out[at++] = octet;
      };
      for (let i = 0; i < chunk.length; i++) {
        const octet = chunk[i]!;
        if (heldCr) {
          heldCr = false;
          if (octet === LF) {
            heldLines++;
            heldSpace = false;
            continue;
          }
          put(CR);
        }
        if (octet === CR) heldCr = true;
        else if (octet === SPACE || octet === TAB) heldSpace = true;
        else if (heldLines === 0 && !heldSpace) out[at++] = octet;
        else put(octet);
      }
      if (at > 0) isEmpty = false;
      hash.update(out.subarray(0, at));
    },
    end() {
      if (heldCr) {
        letLinesGo();
        hash.update(heldSpace ? ' \r' : '\r');
        isEmpty = false;
      }
      // RFC 6376 3.4.4: a body that is not empty ends with one CRLF; an empty one is nothing at all.
      if (!isEmpty) hash.update('\r\n');
      return hash.digest('base64');
    },
  };
}
