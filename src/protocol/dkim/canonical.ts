/**
 * Canonicalisation: the bytes that a signature covers. `relaxed` (RFC 6376 3.4.2 and 3.4.4) tolerates relays that
 * refold a header or trim the ends of lines; `simple` (RFC 6376 3.4.3) is byte for byte.
 *
 * Only CRLF ends a line; a bare CR or LF is a byte like any other. Linear; holds no more than a chunk, at any split.
 */
import { createHash } from 'node:crypto';

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;

/** `raw`: a field as it is in the message, with or without its last CRLF. Returns name, colon, value, no CRLF. */
export function relaxedField(raw: string): string {
  const colon = raw.indexOf(':');
  const name = raw.slice(0, colon).trimEnd();
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
  /** Base64, the form of `bh=`. */
  end(): string;
  /** Canonical bytes so far; after the end, of the whole body. */
  length(): number;
}

/**
 * The parts of a line that canonicalisation changes. The regular expression engine finds them 20 times as fast as a
 * loop.
 */
const IRREGULAR = /[ \t]{2}|\t|[ \t]\r\n/g;
/**
 * After an irregularity, so many bytes are handled one by one: where there are many, a search for each would cost
 * more.
 */
const ONE_BY_ONE = 8;
/** A buffer that gathers short runs, so that the hash is not called for each. */
const SCRATCH_BYTES = 4096;
/** Blank lines are held back until something follows; so many at a time are hashed. */
const LINES_AT_ONCE = 1024;
const BLANK_LINES = Buffer.from('\r\n'.repeat(LINES_AT_ONCE));

export function relaxedBodyHash(): BodyHash {
  const hash = countedHash();
  let heldLines = 0;
  let heldSpace = false;
  let heldCr = false;
  let isEmpty = true;
  const out = Buffer.allocUnsafe(SCRATCH_BYTES);
  let at = 0;

  const flush = (): void => {
    if (at > 0) hash.update(out.subarray(0, at));
    at = 0;
  };

  /** Writes the held characters before it. */
  const put = (octet: number): void => {
    if (heldLines > 0) {
      flush();
      for (; heldLines > LINES_AT_ONCE; heldLines -= LINES_AT_ONCE) hash.update(BLANK_LINES);
      hash.update(BLANK_LINES.subarray(0, heldLines * 2));
      heldLines = 0;
    }
    if (at + 2 > SCRATCH_BYTES) flush();
    if (heldSpace) out[at++] = SPACE;
    heldSpace = false;
    out[at++] = octet;
    isEmpty = false;
  };

  /** Hashes a run unchanged; a long one without a copy. */
  const pass = (bytes: Buffer, start: number, end: number): void => {
    if (at + end - start > SCRATCH_BYTES) flush();
    if (end - start > SCRATCH_BYTES) hash.update(bytes.subarray(start, end));
    else at += bytes.copy(out, at, start, end);
  };

  const take = (octet: number): void => {
    if (heldCr) {
      heldCr = false;
      if (octet === LF) {
        heldLines++;
        heldSpace = false;
        return;
      }
      put(CR);
    }
    if (octet === CR) heldCr = true;
    else if (octet === SPACE || octet === TAB) heldSpace = true;
    else put(octet);
  };

  return {
    push(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      const text = bytes.toString('latin1');
      // Blanks and line ends at the end of the chunk wait for the next one.
      const end = lastContent(bytes) + 1;
      let oneByOneUntil = 0;
      for (let i = 0; i < end; ) {
        if (i < oneByOneUntil || heldCr || heldSpace || heldLines > 0) {
          take(bytes[i++]!);
          continue;
        }
        IRREGULAR.lastIndex = i;
        const stop = Math.min(IRREGULAR.exec(text)?.index ?? end, end);
        if (stop > i) isEmpty = false;
        pass(bytes, i, stop);
        i = stop;
        oneByOneUntil = stop + ONE_BY_ONE;
      }
      for (let i = end; i < bytes.length; i++) take(bytes[i]!);
      flush();
    },
    end() {
      if (heldCr) put(CR);
      flush();
      // RFC 6376 3.4.4: a body that is not empty ends with one CRLF; an empty one stays empty.
      if (!isEmpty) hash.update('\r\n');
      return hash.digest();
    },
    length: hash.length,
  };
}

/** -1: there is none. */
function lastContent(bytes: Buffer): number {
  let i = bytes.length - 1;
  while (i >= 0 && (bytes[i] === LF || bytes[i] === CR || bytes[i] === SPACE || bytes[i] === TAB)) i--;
  return i;
}

function countedHash() {
  const hash = createHash('sha256');
  let length = 0;
  return {
    update(bytes: Uint8Array | string): void {
      length += bytes.length;
      hash.update(bytes);
    },
    digest: () => hash.digest('base64'),
    length: () => length,
  };
}

export function simpleBodyHash(): BodyHash {
  const hash = countedHash();
  let heldLines = 0;
  let heldCr = false;

  const release = (): void => {
    for (; heldLines > LINES_AT_ONCE; heldLines -= LINES_AT_ONCE) hash.update(BLANK_LINES);
    if (heldLines > 0) hash.update(BLANK_LINES.subarray(0, heldLines * 2));
    heldLines = 0;
  };
  const putCr = (): void => {
    release();
    hash.update('\r');
    heldCr = false;
  };

  return {
    push(chunk) {
      let start = 0;
      if (heldCr && chunk.length > 0) {
        if (chunk[0] === LF) {
          heldCr = false;
          heldLines++;
          start = 1;
        } else putCr();
      }
      let end = chunk.length;
      // Line ends at the end of the chunk wait for the next one.
      if (end > start && chunk[end - 1] === CR) {
        heldCr = true;
        end--;
      }
      let lines = 0;
      for (; end - 2 >= start && chunk[end - 2] === CR && chunk[end - 1] === LF; end -= 2) lines++;
      if (end > start) {
        release();
        hash.update(chunk.subarray(start, end));
      }
      heldLines += lines;
    },
    end() {
      if (heldCr) putCr();
      // RFC 6376 3.4.3: it ends with one CRLF, even if it is empty.
      hash.update('\r\n');
      return hash.digest();
    },
    length: hash.length,
  };
}
