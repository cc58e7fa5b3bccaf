/**
 * Finds the people that a display name resembles: equal when read, equal except for added words or initials, or
 * similar (Jaro-Winkler).
 *
 * Similar means in both orders, given name first and family name first: otherwise everybody with the same given name
 * would match. Names are first compared by an upper bound, from their letters and lengths, so that a thousand of them
 * cost some microseconds.
 */
import { COMPARED_CHARACTERS, jaroWinkler, withPrefix } from '../../../protocol/confusables/jaro-winkler.ts';
import { bitCount, letterSet, repeatedLetters } from '../../../protocol/confusables/letters.ts';
import { IDENTITY_LIMITS } from './limits.ts';
import { type NameForm, readName } from './names.ts';

export interface Person {
  readonly name: string;
  /** Lower case: the addresses that the person really writes from. */
  readonly addresses: ReadonlySet<string>;
  /** Entered by an administrator, not taken from the directory. */
  readonly isNamed: boolean;
}

export type Likeness = 'same' | 'added-words' | 'initials' | 'similar';

export interface PersonMatch {
  readonly person: Person;
  readonly how: Likeness;
  /** Percent. */
  readonly similarity: number;
}

export interface PersonIndex {
  /** The most similar first; `OWN_NAME` if one of them really writes from that address. `address`: lower case. */
  match(name: NameForm, address: string): readonly PersonMatch[];
}

/** Less similar names are not recorded; the thresholds of the settings begin here. */
export const LEAST_SIMILARITY = 88;
/** Similarity of names that are nearly equal. */
const SIMILARITY: Readonly<Record<Exclude<Likeness, 'similar'>, number>> = {
  same: 100,
  'added-words': 98,
  initials: 95,
};
/** Shorter names resemble too many others. */
const SHORTEST = { same: 3, 'added-words': 6, similar: 6, familyName: 3 } as const;
/** Words that a name inside a longer one may have. */
const INNER_WORDS = 4;
const NOBODY: readonly PersonMatch[] = [];
/** No match, since the name is the sender's own. */
export const OWN_NAME: readonly PersonMatch[] = [];
const NO_ROWS: readonly number[] = [];

export function createPersonIndex(people: readonly Person[]): PersonIndex {
  const forms = people.map(({ name }) => readName(name));
  const sets = Int32Array.from(forms, ({ forward }) => letterSet(forward));
  const repeated = Int32Array.from(forms, ({ forward }) => repeatedLetters(forward));
  const firsts = Uint16Array.from(forms, ({ forward }) => forward.charCodeAt(0));
  const lasts = Uint16Array.from(forms, ({ backward }) => backward.charCodeAt(0));
  const lengths = Uint8Array.from(forms, ({ forward }) => Math.min(forward.length, COMPARED_CHARACTERS));
  const whole = new Map<string, number[]>();
  const initials = new Map<string, number[]>();
  for (const [row, { words, forward, backward }] of forms.entries()) {
    if (forward.length < SHORTEST.same) continue;
    add(whole, forward, row);
    if (backward !== forward) add(whole, backward, row);
    const familyName = words.at(-1)!;
    // An initial matches many people, so only people entered by hand are protected from it.
    if (!people[row]!.isNamed || words.length < 2 || familyName.length < SHORTEST.familyName) continue;
    add(initials, words[0]![0]! + familyName, row);
    add(initials, familyName + words[0]![0]!, row);
  }

  function similarRows(name: NameForm, found: (row: number, similarity: number) => void): void {
    const { forward, backward } = name;
    const length = Math.min(forward.length, COMPARED_CHARACTERS);
    if (length < SHORTEST.similar) return;
    const set = letterSet(forward);
    const twice = repeatedLetters(forward);
    const first = forward.charCodeAt(0);
    const last = backward.charCodeAt(0);
    const least = LEAST_SIMILARITY / 100;
    for (let row = 0; row < sets.length; row++) {
      const otherLength = lengths[row]!;
      if (otherLength < SHORTEST.similar) continue;
      const other = sets[row]!;
      const otherTwice = repeated[row]!;
      const common = Math.min(
        length - bitCount(set & ~other) - bitCount(twice & ~otherTwice),
        otherLength - bitCount(other & ~set) - bitCount(otherTwice & ~twice),
      );
      const most = (common / length + common / otherLength + 1) / 3;
      if (most < least) {
        // Only a common prefix can help, and it must in both orders.
        if (withPrefix(most, 4) < least) continue;
        const otherFirst = firsts[row]!;
        const otherLast = lasts[row]!;
        const begins = first === otherFirst && last === otherLast;
        if (!begins && (first !== otherLast || last !== otherFirst)) continue;
      }
      const form = forms[row]!;
      const similarity = Math.max(
        similarBothWays(forward, backward, form.forward, form.backward, most, least),
        similarBothWays(forward, backward, form.backward, form.forward, most, least),
      );
      if (similarity >= least) found(row, Math.floor(similarity * 100));
    }
  }

  return {
    match(name, address) {
      const matches: PersonMatch[] = [];
      let isOneOfThem = false;
      const note = (row: number, how: Likeness, similarity: number): void => {
        const person = people[row]!;
        if (person.addresses.has(address)) isOneOfThem = true;
        if (matches.some((match) => match.person === person)) return;
        matches.push({ person, how, similarity });
      };
      const noteAll = (rows: readonly number[], how: Exclude<Likeness, 'similar'>): void => {
        for (const row of rows) note(row, how, SIMILARITY[how]);
      };
      noteAll(whole.get(name.forward) ?? NO_ROWS, 'same');
      // After a mark that changes the direction, letters are in reverse order.
      noteAll(whole.get(reversed(name.forward)) ?? NO_ROWS, 'same');
      for (const inner of innerNames(name.words)) noteAll(whole.get(inner) ?? NO_ROWS, 'added-words');
      if (initials.size > 0) noteAll(initials.get(name.forward) ?? NO_ROWS, 'initials');
      similarRows(name, (row, similarity) => note(row, 'similar', Math.min(similarity, 99)));
      if (isOneOfThem) return OWN_NAME;
      if (matches.length === 0) return NOBODY;
      return matches.sort((a, b) => b.similarity - a.similarity).slice(0, IDENTITY_LIMITS.matches);
    },
  };
}

/** The lesser of the two orders; 0 if a bound shows that it is less than `least`. */
function similarBothWays(
  forward: string,
  backward: string,
  otherForward: string,
  otherBackward: string,
  most: number,
  least: number,
): number {
  if (withPrefix(most, commonPrefix(forward, otherForward)) < least) return 0;
  if (withPrefix(most, commonPrefix(backward, otherBackward)) < least) return 0;
  const similarity = jaroWinkler(forward, otherForward);
  return similarity < least ? 0 : Math.min(similarity, jaroWinkler(backward, otherBackward));
}

function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < 4 && length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

/** Runs of words inside a longer name, joined. */
function innerNames(words: readonly string[]): readonly string[] {
  if (words.length < 3) return NOBODY as readonly never[];
  const inner: string[] = [];
  for (let start = 0; start < words.length - 1; start++) {
    let joined = words[start]!;
    for (let end = start + 1; end < Math.min(start + INNER_WORDS, words.length); end++) {
      joined += words[end]!;
      if (joined.length >= SHORTEST['added-words']) inner.push(joined);
    }
  }
  return inner;
}

function reversed(text: string): string {
  return [...text].reverse().join('');
}

function add(map: Map<string, number[]>, key: string, row: number): void {
  const rows = map.get(key);
  if (rows) rows.push(row);
  else map.set(key, [row]);
}
