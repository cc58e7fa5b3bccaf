/**
 * Patterns prepared for many texts. The letters of a text are checked first: a pattern with other letters is skipped
 * in some nanoseconds. The literal parts between the `*` of the remaining ones are searched.
 */

/** Whether the whole text matches, as in matchesWildcards. */
export type Wildcards = (text: string) => boolean;

export interface PatternTable<T> {
  readonly size: number;
  add(pattern: string, value: T): void;
  /** The first that `text` matches and whose value counts. */
  find(text: string, counts: (value: T) => boolean): T | undefined;
}

export function createPatternTable<T>(): PatternTable<T> {
  const letters: number[] = [];
  const patterns: { readonly fits: Wildcards; readonly value: T }[] = [];
  return {
    get size() {
      return patterns.length;
    },
    add(pattern, value) {
      letters.push(lettersOf(pattern));
      patterns.push({ fits: compileWildcards(pattern), value });
    },
    find(text, counts) {
      if (patterns.length === 0) return undefined;
      const absent = ~lettersOf(text);
      for (let i = 0; i < letters.length; i++) {
        if ((letters[i]! & absent) !== 0) continue;
        const { fits, value } = patterns[i]!;
        if (fits(text) && counts(value)) return value;
      }
      return undefined;
    },
  };
}

/** A bit a letter; digits share six, and other characters have none. */
function lettersOf(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x61 && code <= 0x7a) bits |= 1 << (code - 0x61);
    else if (code >= 0x30 && code <= 0x39) bits |= 1 << (26 + ((code - 0x30) % 6));
  }
  return bits;
}

/** The text between two `*`; each `?` in it is one character. */
interface Part {
  readonly text: string;
  /** The longest piece without `?`, and where it begins. */
  readonly literal: string;
  readonly offset: number;
}

export function compileWildcards(pattern: string): Wildcards {
  const parts = pattern.split('*').map(partOf);
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (parts.length === 1) return (text) => text.length === pattern.length && isAt(first, text, 0);
  const middle = parts.slice(1, -1).filter(({ text }) => text !== '');
  const shortest = parts.reduce((sum, { text }) => sum + text.length, 0);
  return (text) => {
    const end = text.length - last.text.length;
    if (text.length < shortest || !isAt(last, text, end) || !isAt(first, text, 0)) return false;
    let at = first.text.length;
    // The earliest position of each part leaves the most room for the next.
    for (const part of middle) {
      const found = find(part, text, at);
      if (found < 0) return false;
      at = found + part.text.length;
    }
    return at <= end;
  };
}

function partOf(text: string): Part {
  let literal = '';
  for (const piece of text.split('?')) if (piece.length > literal.length) literal = piece;
  return { text, literal, offset: text.indexOf(literal) };
}

function isAt({ text: part, literal }: Part, text: string, at: number): boolean {
  if (literal.length === part.length) return text.startsWith(part, at);
  if (at + part.length > text.length) return false;
  for (let i = 0; i < part.length; i++) {
    const code = part.charCodeAt(i);
    if (code !== 0x3f && code !== text.charCodeAt(at + i)) return false;
  }
  return true;
}

/** -1: not found from there on. */
function find(part: Part, text: string, from: number): number {
  const { literal, offset } = part;
  for (let at = text.indexOf(literal, from + offset); at >= 0; at = text.indexOf(literal, at + 1)) {
    if (isAt(part, text, at - offset)) return at - offset;
    // No literal: it matches anywhere there is room, or nowhere.
    if (literal === '') return -1;
  }
  return -1;
}
