/**
 * Message ids: time-ordered, and the row's key at once.
 *
 * A key is 53 bits, so that it is an exact number everywhere: milliseconds since 2025 (41 bits, until
 * 2094), the node (6 bits) and a counter (6 bits), so that two nodes never make the same. The id that
 * people see is the key in 11 characters of Crockford's base 32, which sort as the keys do. Keys of a
 * node only grow, also when the clock goes back: it starts above the highest key it finds. Older keys
 * have a counter where the node is now: they are unique and in order all the same.
 */

import { NODES } from '../../store/limits.ts';
import type { Clock } from '../../world/clock.ts';
import { FIRST_NODE } from './nodes.ts';

const EPOCH_MS = Date.UTC(2025, 0, 1);
/** Keys of one millisecond, of all nodes. */
const PER_MS = 4096;
/** Keys of one millisecond and node, 64,000 a second; when they run out, the next millisecond's are used. */
const PER_NODE = PER_MS / NODES;
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const LENGTH = 11;

export interface IdSource {
  next(): number;
}

/** `above`: a key of any node. */
export function createIdSource(clock: Clock, above: number, node: number): IdSource {
  const own = node * PER_NODE;
  let coming = (Math.floor(above / PER_MS) + 1) * PER_MS + own;
  return {
    next() {
      const key = Math.max(coming, (clock.now() - EPOCH_MS) * PER_MS + own);
      coming = key + 1;
      if (coming % PER_NODE === 0) coming += PER_MS - PER_NODE;
      return key;
    },
  };
}

/** The node that made a key. Keys up to `unnumbered` are from before nodes had numbers, and the first node's. */
export function nodeOf(key: number, unnumbered: number): number {
  return key <= unnumbered ? FIRST_NODE : Math.floor((key % PER_MS) / PER_NODE);
}

export function idOf(key: number): string {
  let id = '';
  let rest = key;
  for (let i = 0; i < LENGTH; i++) {
    id = DIGITS[rest % 32] + id;
    rest = Math.floor(rest / 32);
  }
  return id;
}

/** Undefined for what idOf never makes. */
export function keyOf(id: string): number | undefined {
  if (id.length !== LENGTH) return undefined;
  let key = 0;
  for (const character of id) {
    const digit = DIGITS.indexOf(character);
    if (digit < 0) return undefined;
    key = key * 32 + digit;
  }
  return Number.isSafeInteger(key) ? key : undefined;
}

/** A recipient row as operators name it: `<message id>.<n>`. */
export function rowId(key: number, n: number): string {
  return `${idOf(key)}.${n}`;
}

export function parseRowId(text: string): { readonly key: number; readonly n: number } | undefined {
  const [id = '', number = '', rest] = text.split('.');
  const key = keyOf(id);
  return key !== undefined && rest === undefined && /^\d{1,9}$/.test(number) ? { key, n: Number(number) } : undefined;
}
