/**
 * Message ids: time-ordered, and the row's key at once.
 *
 * A key is 53 bits, so that it is an exact number everywhere: milliseconds since 2025 (41 bits, until
 * 2094) and a counter. The id that people see is the key in 11 characters of Crockford's base 32,
 * which sort as the keys do. Keys only grow, also when the clock goes back: a node starts above the
 * highest key it finds.
 */
import type { Clock } from '../../world/clock.ts';

const EPOCH_MS = Date.UTC(2025, 0, 1);
/** Keys of one millisecond; when they run out, the next millisecond's are used. */
const PER_MS = 4096;
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const LENGTH = 11;

export interface IdSource {
  next(): number;
}

export function createIdSource(clock: Clock, above: number): IdSource {
  let last = above;
  return {
    next() {
      last = Math.max(last + 1, (clock.now() - EPOCH_MS) * PER_MS);
      return last;
    },
  };
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
