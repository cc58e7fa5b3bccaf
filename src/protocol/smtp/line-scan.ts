/**
 * Searches bytes, sixteen at a time, for everything but plain lines: a CR or LF that is not half of a CRLF, and a dot
 * at the beginning of a line. Every byte of every message is scanned here twice: line by line with `indexOf` that is
 * most of the cost of a large message, and byte by byte many times that.
 *
 * The loop is a WebAssembly function of some vector instructions (line-scan-module.ts); it sees only the copy in its
 * memory.
 */
import { LINE_SCAN_MODULE } from './line-scan-module.ts';

/** The part of the global that is used; TypeScript declares it only with those of browsers. */
declare const WebAssembly: {
  Module: new (binary: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  next(at: number, end: number): number;
}

export interface LineScan {
  /** Bytes that may have changed since the last scan. */
  begin(bytes: Uint8Array): void;
  /**
   * The first position in them from `at` on, or -1, of an LF without CR before it, of any byte but LF after a CR, or
   * of a dot after an LF. The byte before the first is taken to be no newline; a CR at the end is not reported.
   */
  next(bytes: Uint8Array, at: number): number;
}

const WINDOW_BYTES = 64 * 1024;
/** Before the window, so that each byte has one before it. */
const MARGIN_BYTES = 16;

export const lines: LineScan = createLineScan();

function createLineScan(): LineScan {
  const { memory, next } = new WebAssembly.Instance(new WebAssembly.Module(LINE_SCAN_MODULE))
    .exports as unknown as Exports;
  const window = new Uint8Array(memory.buffer, MARGIN_BYTES);
  const before = new Uint8Array(memory.buffer, MARGIN_BYTES - 1, 1);
  let bytes: Uint8Array = new Uint8Array();
  /** The start of the part that is in the window. */
  let from = 0;
  let to = 0;

  const begin = (wanted: Uint8Array): void => {
    bytes = wanted;
    from = to = 0;
  };

  const look = (at: number): void => {
    from = at;
    to = Math.min(at + WINDOW_BYTES, bytes.length);
    window.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
    before[0] = at > 0 ? bytes[at - 1]! : 0;
  };

  return {
    begin,
    next(wanted, at) {
      if (wanted !== bytes) begin(wanted);
      for (let place = at; place < bytes.length; place = to) {
        if (place < from || place >= to) look(place);
        const found = from + next(place - from, to - from);
        if (found < to) return found;
      }
      return -1;
    },
  };
}

const DOT = 0x2e;
const CR = 0x0d;
const LF = 0x0a;

/** Whether the position that was found is a dot after CRLF, within these bytes. */
export function isStuffable(bytes: Uint8Array, found: number): boolean {
  return bytes[found] === DOT && bytes[found - 1] === LF && bytes[found - 2] === CR;
}

/** No CR and no LF except in CRLF, and none cut in two. */
export function hasOnlyCrlf(bytes: Uint8Array): boolean {
  if (bytes[bytes.length - 1] === CR) return false;
  lines.begin(bytes);
  let found = lines.next(bytes, 0);
  while (found >= 0 && isStuffable(bytes, found)) found = lines.next(bytes, found + 1);
  return found < 0;
}
