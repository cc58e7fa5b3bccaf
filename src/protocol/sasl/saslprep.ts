/**
 * SASLprep (RFC 4013) over current Unicode: different keyboards' spellings of one password become equal.
 *
 * RFC 4013 is defined over Unicode 3.2; as RFC 8265 does for its successor, code points assigned since are treated by
 * their properties. Undefined for a text that may not be prepared (RFC 4013 2.3, 2.4).
 */

/** RFC 3454 B.1, commonly mapped to nothing. */
const NOTHING = /\u034f|[\u180b-\u180d\ufe00-\ufe0f]|[\u00ad\u1806\u200b-\u200d\u2060\ufeff]/g;
/** RFC 3454 C.1.2, non-ASCII space. */
const SPACE = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;
/**
 * RFC 3454 C.2.1, C.2.2, C.3-C.9: controls, private use, non-characters, surrogates, tags, and characters that change
 * display.
 */
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u06dd\u070f\u180e\u2028\u2029\u2061-\u2063\u206a-\u206f\ufff9-\ufffd\u2ff0-\u2ffb\u200e\u200f\u202a-\u202e\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]|\u0340|\u0341/u;
const UNASSIGNED = /\p{Cn}/u;
/** RFC 3454 6: RandALCat and LCat, by script and letter. */
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const LEFT_TO_RIGHT =
  /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u;

export function saslprep(text: string): string | undefined {
  // Printable ASCII is unchanged; nearly every password ends here.
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  // Normalisation sorts the marks of one letter by insertion; no spelling has more than 30 (UAX 15, 13).
  if (/[\p{M}\uff9e\uff9f]{31}/u.test(text)) return undefined;
  const prepared = text.replace(SPACE, ' ').replace(NOTHING, '').normalize('NFKC');
  if (PROHIBITED.test(prepared) || UNASSIGNED.test(prepared)) return undefined;
  if (RIGHT_TO_LEFT.test(prepared)) {
    const characters = [...prepared];
    const edges = RIGHT_TO_LEFT.test(characters[0]!) && RIGHT_TO_LEFT.test(characters.at(-1)!);
    if (LEFT_TO_RIGHT.test(prepared) || !edges) return undefined;
  }
  return prepared;
}
