/**
 * The domain of an author, as the DNS and every check use it: lower case, A-labels, no last dot.
 *
 * Text becomes A-labels by UTS 46, as in mail programs: compatibility characters are mapped, ignored ones dropped.
 * Where UTS 46 forbids an invisible character, the rest is read, since that is what a person sees. Undefined for text
 * that cannot be a name in the DNS: nobody is responsible for such an address.
 */
import { isIPv4 } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import { withoutInvisible } from '../confusables/skeleton.ts';
import { endsInNumber, isAsciiText } from '../smtp/domain.ts';
import { DOMAIN_BYTES, LABEL_BYTES } from '../smtp/limits.ts';
import { MIME_LIMITS } from './limits.ts';

export interface AuthorDomain {
  readonly domain: string;
  /** It is written in an unusual form, and a reader that does not map sees another name. */
  readonly isDisguised: boolean;
}

/**
 * ASCII except letters, digits, hyphen, dot, and the underscore of names in use: no host name has it (RFC 1123 2.1).
 */
const NEVER_IN_NAME = /[\x00-,/:-@[-^`{-\x7f]/;
/**
 * Beyond ASCII a name has letters, marks and digits (RFC 5890 2.3.2.1), and a few points; invisible characters are
 * dropped.
 */
const NO_LETTER = /[^\x00-\x7f\p{L}\p{M}\p{N}\p{Default_Ignorable_Code_Point}\u00b7\u0375\u05f3\u05f4\u30fb\u3002]/u;
/** RFC 1123 2.1: the highest label is a word, so a mark at its end is not part of the name. */
const TOP_LABEL = /(?:^|\.)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** UTS 46 4: separators of labels besides the full stop. */
const WIDE_DOTS = /[\u3002\uff0e\uff61]/g;

/** `text`: after the at-sign, without comments and folding. */
export function readAuthorDomain(text: string): AuthorDomain | undefined {
  if (NEVER_IN_NAME.test(text)) return undefined;
  if (isAsciiText(text)) {
    const domain = nameOf(text.toLowerCase());
    return domain === undefined ? undefined : { domain, isDisguised: false };
  }
  if (text.length > MIME_LIMITS.domainCharacters || NO_LETTER.test(text.normalize('NFKC'))) return undefined;
  const mapped = mapLabels(text);
  const domain = nameOf(mapped === '' ? mapSeen(text) : mapped);
  return domain === undefined ? undefined : { domain, isDisguised: !isPlain(text, domain) };
}

/** Empty if a character or a label is forbidden, or if the mapping turned digits into an IPv4 address. */
function mapLabels(text: string): string {
  const ascii = domainToASCII(text);
  return isIPv4(ascii) ? '' : ascii;
}

function mapSeen(text: string): string {
  const seen = withoutInvisible(text).normalize('NFKC').toLowerCase();
  if (NEVER_IN_NAME.test(seen)) return '';
  return isAsciiText(seen) ? seen : mapLabels(seen);
}

/** RFC 1035 2.3.4, and RFC 1123 2.1: no name ends in a number. */
function nameOf(ascii: string): string | undefined {
  const name = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii;
  if (name === '' || name.length > DOMAIN_BYTES || NEVER_IN_NAME.test(name) || endsInNumber(name)) return undefined;
  if (!TOP_LABEL.test(name)) return undefined;
  return name.split('.').every((label) => label !== '' && label.length <= LABEL_BYTES) ? name : undefined;
}

/** U-labels as RFC 5890 defines them, except for case and composition. */
function isPlain(text: string, domain: string): boolean {
  const written = text.replaceAll(WIDE_DOTS, '.').normalize('NFC').toLowerCase();
  return domainToUnicode(domain) === (written.endsWith('.') ? written.slice(0, -1) : written);
}
