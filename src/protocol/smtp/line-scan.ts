/**
 * Looks through octets, sixteen at a time, for what is not plain lines: a CR or LF that is not half of a
 * CRLF, and a dot at the beginning of a line. Every octet of every message is looked at here, twice: line
 * by line with `indexOf` that is most of what a large message costs, octet by octet many times that.
 *
 * The loop is a WebAssembly function of some vector instructions (line-scan-module.ts); it sees nothing
 * but the copy that is put before it.
 */
import { LINE_SCAN_MODULE } from './line-scan-module.ts';

/** As much of the global as is used; TypeScript has it with those of browsers only. */
declare const WebAssembly: {
  Module: new (binary: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  next(at: number, end: number): number;
}

export interface LineScan {
  /** Octets that may have been others when they were looked at last. */
  begin(octets: Uint8Array): void;
  /**
   * The first place in them from `at` on, or -1, of an LF without CR before it, of what is no LF behind a CR, or of a
   * dot behind an LF. What stands before the octets is taken to be no newline; of a CR at
   * their end nobody knows.
   */
  next(octets: Uint8Array, at: number): number;
}

const WINDOW_BYTES = 64 * 1024;
/** Before the window, so that an octet has one before it. */
const MARGIN_BYTES = 16;

export const lines: LineScan = createLineScan();

function createLineScan(): LineScan {
  const { memory, next } = new WebAssembly.Instance(new WebAssembly.Module(LINE_SCAN_MODULE))
    .exports as unknown as Exports;
  const window = new Uint8Array(memory.buffer, MARGIN_BYTES);
  const before = new Uint8Array(memory.buffer, MARGIN_BYTES - 1, 1);
  let octets: Uint8Array = new Uint8Array();
  /** The part that is in the window. */
  let from = 0;
  let to = 0;

  const begin = (wanted: Uint8Array): void => {
    octets = wanted;
    from = to = 0;
  };

  const look = (at: number): void => {
    from = at;
    to = Math.min(at + WINDOW_BYTES, octets.length);
    window.set(from === 0 && to === octets.length ? octets : octets.subarray(from, to));
    before[0] = at > 0 ? octets[at - 1]! : 0;
  };

  return {
    begin,
    next(wanted, at) {
      if (wanted !== octets) begin(wanted);
      for (let place = at; place < octets.length; place = to) {
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

/** Whether the place that was found is a dot behind CRLF, within what is looked at. */
export function isStuffable(octets: Uint8Array, found: number): boolean {
  return octets[found] === DOT && octets[found - 1] === LF && octets[found - 2] === CR;
}

/** No CR and no LF but in CRLF, and none cut in two. */
export function hasOnlyCrlf(octets: Uint8Array): boolean {
  if (octets[octets.length - 1] === CR) return false;
  lines.begin(octets);
  let found = lines.next(octets, 0);
  while (found >= 0 && isStuffable(octets, found)) found = lines.next(octets, found + 1);
  return found < 0;
}
