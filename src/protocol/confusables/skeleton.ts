/**
 * Skeletons after Unicode Technical Standard 39 4: two texts that look alike have the same one.
 *
 * Coarser than the standard, since it is used to find impersonation: case, accents and invisible characters do not
 * count, and pairs of letters that look like one letter are one (`rn` is `m`). A skeleton is only ever compared with
 * another; it is no text to show. Linear; never throws.
 */
import { LOOK_ALIKES } from './table.ts';

const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
const MARKS = /\p{M}/gu;

export function skeleton(text: string): string {
  return joinPairs(isAscii(text) ? asciiSkeleton(text) : wideSkeleton(text));
}

/** Removes characters without width or any other visible effect: soft hyphens, joiners, fillers, directions, tags. */
export function withoutInvisible(text: string): string {
  return isAscii(text) ? text : text.replaceAll(INVISIBLE, '');
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function asciiSkeleton(text: string): string {
  const lower = text.toLowerCase();
  let made = '';
  let copied = 0;
  for (let i = 0; i < lower.length; i++) {
    const other = asciiLookAlike(lower.charCodeAt(i));
    if (other === '') continue;
    made += lower.slice(copied, i) + other;
    copied = i + 1;
  }
  return copied === 0 ? lower : made + lower.slice(copied);
}

/** The ASCII rows of the table, without a look-up. */
function asciiLookAlike(code: number): string {
  switch (code) {
    case 0x31:
    case 0x6c:
    case 0x7c:
      return 'i';
    case 0x30:
      return 'o';
    default:
      return '';
  }
}

function wideSkeleton(text: string): string {
  let made = '';
  for (const character of decomposed(withoutInvisible(text))) made += lookAlike(character);
  return made;
}

/**
 * NFKD without marks. Marks in the input are removed before it, too: it sorts the marks of a letter by insertion, so
 * a thousand of them would cost a million steps.
 */
export function decomposed(text: string): string {
  return text.replaceAll(MARKS, '').normalize('NFKD').replaceAll(MARKS, '');
}

/** The character itself is looked up first: a capital may look like another letter than its small form does. */
function lookAlike(character: string): string {
  const known = LOOK_ALIKES.get(character);
  if (known !== undefined) return known;
  const lower = character.toLowerCase();
  return LOOK_ALIKES.get(lower) ?? lower;
}

function joinPairs(text: string): string {
  if (text.includes('rn')) text = text.replaceAll('rn', 'm');
  return text.includes('vv') ? text.replaceAll('vv', 'w') : text;
}
