/**
 * Every address that some reader may see in an address field that RFC 5322 cannot read whole.
 *
 * Mail programs repair such fields in different ways: they decode encoded words first or not at all, close quotes,
 * drop comments or controls, map letters of other widths. So each `@`, and each look-alike of it, is tried in each of
 * these forms of the field, and the text after it is read as a name up to the first character that no name has.
 * Linear in the field, which has a bound; never throws.
 */
import { withoutInvisible } from '../confusables/skeleton.ts';
import { readAuthorDomain } from './author-domain.ts';
import { MIME_LIMITS } from './limits.ts';
import { decodeLoosely } from './loose-words.ts';
import { readable } from './text.ts';
import type { AuthorAddress } from './types.ts';

/** The commercial at, its full-width and its small form. */
const AT_SIGN = /[@\uff20\ufe6b]/;
const AT_SIGNS = /[@\uff20\ufe6b]/g;
const LOCAL_CHARACTERS = 64;
const ENDS_LOCAL = /[\s\x00-\x1f\x7f-\x9f()<>[\]:;@\\,"\uff20\ufe6b\ufffd]/;
/** Between the at-sign and the name. */
const OPENS_NAME = /[\s\x00-\x1f"'[<(\\]*/y;
/** Labels with full stops of any width between them, with optional white space around them (RFC 5322 4.4). */
const NAME =
  /[\p{L}\p{M}\p{N}\p{Default_Ignorable_Code_Point}_-]*(?:\s*[.\u3002\uff0e\uff61]+\s*[\p{L}\p{M}\p{N}\p{Default_Ignorable_Code_Point}_-]+)*/uy;
const SPACED_DOTS = /\s*[.\u3002\uff0e\uff61]+\s*/g;
const AROUND_NAME = /^[._-]+|[._-]+$/g;
const PLAIN_NAME = /^[a-z0-9._-]+/i;

export interface Readings {
  readonly addresses: readonly AuthorAddress[];
  /** There is an at-sign, or a look-alike, or a word in an unknown charset that may have one. */
  readonly hasAtSign: boolean;
  /** There are more than the bound: not all were read. */
  readonly isCut: boolean;
}

/** `field`: a binary string, unfolded and within its bound. Domains are names of two labels at least. */
export function readEveryAddress(field: string): Readings {
  const addresses = new Map<string, AuthorAddress>();
  const decoded = decodeLoosely(field);
  let hasAtSign = decoded.isUnread;
  let { isCut } = decoded;
  for (const form of formsOf([readable(field), lossy(field), ...decoded.texts])) {
    hasAtSign = true;
    isCut = collect(form, addresses) || isCut;
  }
  return { addresses: [...addresses.values()], hasAtSign, isCut };
}

/** It has a look-alike of the at-sign, though the grammar takes it for a letter. */
export function hasOtherAtSign(text: string): boolean {
  return /[\uff20\ufe6b]/.test(text);
}

function formsOf(texts: readonly string[]): ReadonlySet<string> {
  const forms = new Set<string>();
  for (const text of new Set(texts)) {
    // Dropping characters below never creates an at-sign.
    if (!AT_SIGN.test(text)) continue;
    for (const bare of [text, withoutControls(text)]) {
      forms.add(bare);
      // Circled and other letters that the mapping of names knows, at-signs among them.
      forms.add(bare.replaceAll(/([\p{M}\uff9e\uff9f]{30})[\p{M}\uff9e\uff9f]+/gu, '$1').normalize('NFKC'));
      const open = withoutComments(bare, true);
      forms
        .add(withoutQuotes(bare))
        .add(open)
        .add(withoutQuotes(open))
        .add(withoutQuotes(withoutComments(bare, false)));
    }
  }
  return forms;
}

/** Decoded as UTF-8 in any case: one invalid byte must not hide the valid characters. */
function lossy(field: string): string {
  return Buffer.from(field.replaceAll(OVERLONG, shortest), 'latin1').toString('utf8');
}

/** ASCII in two or three bytes, which UTF-8 forbids and careless decoders read. */
const OVERLONG = /[\xc0\xc1][\x80-\xbf]|\xe0[\x80\x81][\x80-\xbf]/g;

function shortest(bytes: string): string {
  const [last, before] = [bytes.charCodeAt(bytes.length - 1), bytes.charCodeAt(bytes.length - 2)];
  return String.fromCharCode(((before & 1) << 6) | (last & 63));
}

function withoutControls(text: string): string {
  return text.replaceAll(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, '');
}

function withoutQuotes(text: string): string {
  return text.replaceAll(/["\\]/g, '');
}

/** `honorsQuotes`: a parenthesis in quotes is text. An unclosed comment goes on to the end. */
function withoutComments(text: string, honorsQuotes: boolean): string {
  if (!text.includes('(')) return text;
  let kept = '';
  let depth = 0;
  let from = 0;
  let inQuotes = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === '"' && depth === 0 && honorsQuotes) inQuotes = !inQuotes;
    else if (inQuotes) continue;
    else if (c === '(' && depth++ === 0) kept += text.slice(from, i);
    else if (c === ')' && depth > 0 && --depth === 0) from = i + 1;
  }
  return depth === 0 ? kept + text.slice(from) : kept;
}

/** True: there are more at-signs than the bound. */
function collect(form: string, addresses: Map<string, AuthorAddress>): boolean {
  let count = 0;
  for (const { index } of form.matchAll(AT_SIGNS)) {
    if (++count > MIME_LIMITS.mailboxes) return true;
    const domains = namesBehind(form, index + 1);
    if (domains.length === 0) continue;
    const local = localBefore(form, index);
    for (const domain of domains) addresses.set(`${local}@${domain}`, { local, domain });
  }
  return false;
}

/** At most two: with the white space around its dots, and cut at it. */
function namesBehind(form: string, start: number): readonly string[] {
  OPENS_NAME.lastIndex = start;
  OPENS_NAME.test(form);
  NAME.lastIndex = OPENS_NAME.lastIndex;
  const written = NAME.exec(form)?.[0] ?? '';
  const whole = readName(written.replaceAll(SPACED_DOTS, '.'));
  const space = written.search(/\s/);
  const cut = space < 0 ? undefined : readName(written.slice(0, space));
  return [...new Set([whole, cut])].filter((name) => name !== undefined);
}

/** If a name cannot be mapped, the part before its first letter of another alphabet. */
function readName(written: string): string | undefined {
  const seen = withoutInvisible(written).replaceAll(AROUND_NAME, '');
  const domain =
    readAuthorDomain(seen)?.domain ??
    readAuthorDomain((PLAIN_NAME.exec(seen)?.[0] ?? '').replaceAll(AROUND_NAME, ''))?.domain;
  return domain?.includes('.') ? domain : undefined;
}

function localBefore(form: string, at: number): string {
  let end = at;
  while (end > 0 && (form[end - 1] === ' ' || form[end - 1] === '"')) end--;
  let start = end;
  while (start > 0 && end - start < LOCAL_CHARACTERS && !ENDS_LOCAL.test(form[start - 1]!)) start--;
  // Removes the beginning of an encoded word, and quotes of some programs, as in `'alice@example.com'`.
  return form.slice(start, end).replace(/^(?:.*\?[bq]\?)?'*/i, '');
}
