/**
 * The terms of messages that wait to be indexed, as bytes: as thousands of strings they would grow old
 * in the thread's heap, and be collected late. Takes what its memory holds; beyond, rows are read again.
 */
import { TAIL_BYTES, TAIL_MESSAGES } from './limits.ts';
import { messageTerms, type Termed } from './terms.ts';

/** In order of key. */
export interface Terms {
  readonly length: number;
  key(index: number): number;
  terms(index: number): string;
}

export interface Tail {
  /** False: there is no room for it. */
  add(n: number, terms: string): boolean;
  /** Valid until the next `add` or `clear`. */
  inOrder(): Terms;
  clear(): void;
}

export function createTail(): Tail {
  const keys = new Float64Array(2 * TAIL_MESSAGES);
  const ends = new Uint32Array(2 * TAIL_MESSAGES);
  const bytes = Buffer.allocUnsafeSlow(TAIL_BYTES);
  let length = 0;
  let used = 0;
  return {
    add(n, terms) {
      if (length === keys.length || used + 3 * terms.length > bytes.length) return false;
      used += bytes.write(terms, used);
      keys[length] = n;
      ends[length++] = used;
      return true;
    },
    inOrder() {
      const order = Uint32Array.from({ length }, (_, index) => index).sort((a, b) => keys[a]! - keys[b]!);
      return {
        length,
        key: (index) => keys[order[index]!]!,
        terms(index) {
          const at = order[index]!;
          return bytes.toString('utf8', at === 0 ? 0 : ends[at - 1], ends[at]);
        },
      };
    },
    clear() {
      length = 0;
      used = 0;
    },
  };
}

export function termsOf(rows: readonly (Termed & { readonly n: number })[]): Terms {
  return {
    length: rows.length,
    key: (index) => rows[index]!.n,
    terms: (index) => messageTerms(rows[index]!),
  };
}
