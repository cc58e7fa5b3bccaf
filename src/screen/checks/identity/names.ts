/**
 * Display names in the form for comparison: how a person reads them, whatever their spelling.
 *
 * Encoded words are decoded, also in quotes, where many readers decode them; case, accents, look-alike letters,
 * invisible characters and punctuation do not count; titles are left out.
 */
import { skeleton } from '../../../protocol/confusables/skeleton.ts';
import { decodeUnstructured } from '../../../protocol/mime/encoded-words.ts';
import { IDENTITY_LIMITS } from './limits.ts';

export interface NameForm {
  /** Skeletons, titles among them. */
  readonly words: readonly string[];
  /** The words without titles, joined: in their order, and with the last one first. */
  readonly forward: string;
  readonly backward: string;
}

const BETWEEN_WORDS = /[^\p{L}\p{N}]+/u;
const TITLES = new Set(
  ['dr', 'prof', 'professor', 'mr', 'mrs', 'ms', 'miss', 'sir', 'herr', 'frau', 'ing', 'dipl', 'mba', 'phd', 'jr', 'sr']
    .concat(['ceo', 'cfo', 'cto', 'coo', 'cio', 'ciso', 'president', 'director', 'chairman'])
    .map(skeleton),
);

/** `displayName`: from an address list. */
export function decodeName(displayName: string): string {
  const { nameCharacters } = IDENTITY_LIMITS;
  if (!displayName.includes('=?')) return displayName.slice(0, nameCharacters);
  // The decoder reads bytes; UTF-8 of the header is encoded again.
  return decodeUnstructured(Buffer.from(displayName, 'utf8').toString('latin1'), nameCharacters);
}

/** `name`: decoded. */
export function readName(name: string): NameForm {
  const words = wordsOf(skeleton(name));
  const spoken = words.filter((word) => !TITLES.has(word));
  const kept = spoken.length > 0 ? spoken : words;
  const forward = kept.join('');
  return { words, forward, backward: kept.length > 1 ? kept.at(-1)! + kept.slice(0, -1).join('') : forward };
}

function wordsOf(text: string): readonly string[] {
  const words: string[] = [];
  for (const word of text.split(BETWEEN_WORDS)) {
    if (word === '') continue;
    words.push(word);
    if (words.length === IDENTITY_LIMITS.nameWords) break;
  }
  return words;
}
