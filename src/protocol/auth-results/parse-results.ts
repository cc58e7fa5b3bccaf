/**
 * The results in the value of Authentication-Results, or of ARC-Authentication-Results (RFC 8601 2.2, RFC 8617
 * 4.1.1): every one, in order, so that writing a method twice hides none of them.
 *
 * Comments are removed and quoted strings opened, wherever they are. Linear. Unreadable parts are left out, and the
 * rest after an unclosed comment or string is part of it.
 */

export interface ReadResult {
  /** In lower case, without its version. */
  readonly method: string;
  /** In lower case. */
  readonly result: string;
  /** `header.from`, in lower case, and its value as written. */
  readonly properties: readonly (readonly [property: string, value: string])[];
}

export function parseAuthResults(value: string): readonly ReadResult[] {
  const { text, strings } = opened(value);
  // RFC 8601 2.2: CFWS is allowed around the dot of a property and around "=".
  const compact = text.replace(/\s+/g, ' ').replace(/ ?([=.]) ?/g, '$1');
  const parts = compact
    .split(';')
    .filter((part) => part !== '' && part !== ' ')
    .map((part) => part.trim().split(' ').map(pairsIn(strings)));
  return parts.flatMap(([[method, result] = NO_PAIR, ...properties]) => {
    if (method === '' || result === undefined) return [];
    return [
      {
        method: method.toLowerCase().split('/', 1)[0]!,
        result: result.toLowerCase(),
        properties: properties.flatMap(([name, said]) =>
          said === undefined ? [] : [[name.toLowerCase(), said] as const],
        ),
      },
    ];
  });
}

type Pair = readonly [name: string, value?: string];
const NO_PAIR: Pair = [''];

/** A placeholder for a quoted string until the words around it are separated: no other quote is left then. */
const STRING = '"';

/** Returns a function that must be called for the words in their order. */
function pairsIn(strings: readonly string[]): (word: string) => Pair {
  let next = 0;
  const read = (text: string): string => text.replaceAll(STRING, () => strings[next++]!);
  return (word) => {
    const at = word.indexOf('=');
    return at < 0 ? [read(word)] : [read(word.slice(0, at)), read(word.slice(at + 1))];
  };
}

/** The text without its comments, which nest, and with placeholders for its strings. */
function opened(value: string): { readonly text: string; readonly strings: readonly string[] } {
  const strings: string[] = [];
  let text = '';
  let depth = 0;
  let string: string | undefined;
  for (let i = 0; i < value.length; i++) {
    const character = value[i]!;
    if (depth > 0) {
      if (character === '\\') i++;
      else if (character === '(') depth++;
      else if (character === ')' && --depth === 0) text += ' ';
    } else if (string !== undefined) {
      if (character === '"') {
        strings.push(string);
        string = undefined;
        text += STRING;
      } else string += character === '\\' ? (value[++i] ?? '') : character;
    } else if (character === '(') depth = 1;
    else if (character === '"') string = '';
    else text += character;
  }
  return { text, strings };
}
