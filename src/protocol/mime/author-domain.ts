/**
 * The domain of an author, as the DNS and every check know it: lower case, A-labels, no last dot.
 *
 * Text becomes A-labels by UTS 46, as in mail programs: compatibility characters are mapped, ignored
 * ones dropped. Where it forbids a character that nobody sees, the rest is read, since that is what
 * the reader sees. Undefined for what cannot be a name in the DNS: such an address has no domain
 * that anybody could answer for.
 */
import { isIPv4 } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import { withoutInvisible } from '../confusables/skeleton.ts';
import { endsInNumber, isAsciiText } from '../smtp/domain.ts';
import { DOMAIN_OCTETS, LABEL_OCTETS } from '../smtp/limits.ts';
import { MIME_LIMITS } from './limits.ts';

export interface AuthorDomain {
  readonly domain: string;
  /** It is written as no name is, and who does not map sees another one. */
  readonly isDisguised: boolean;
}

/** ASCII beside letters, digits, hyphen, dot, and the underscore of names in use: no host name has it (RFC 1123 2.1). */
const NEVER_IN_NAME = /[\x00-,/:-@[-^`{-\x7f]/;
/** Beyond ASCII a name has letters, marks and digits (RFC 5890 2.3.2.1), and a few points; what nobody sees is dropped. */
const NO_LETTER = /[^\x00-\x7f\p{L}\p{M}\p{N}\p{Default_Ignorable_Code_Point}\u00b7\u0375\u05f3\u05f4\u30fb\u3002]/u;
/** RFC 1123 2.1: the highest label is a word, so a mark at its end stands behind the name. */
const TOP_LABEL = /(?:^|\.)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** UTS 46 4: what separates labels beside the full stop. */
const WIDE_DOTS = /[\u3002\uff0e\uff61]/g;

/** `text`: behind the at-sign, without comments and folding. */
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

/** Empty where a character or a label is forbidden; also digits that the mapping made an IPv4 address. */
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
  if (name === '' || name.length > DOMAIN_OCTETS || NEVER_IN_NAME.test(name) || endsInNumber(name)) return undefined;
  if (!TOP_LABEL.test(name)) return undefined;
  return name.split('.').every((label) => label !== '' && label.length <= LABEL_OCTETS) ? name : undefined;
}

/** U-labels as RFC 5890 has them, but for case and composition. */
function isPlain(text: string, domain: string): boolean {
  const written = text.replaceAll(WIDE_DOTS, '.').normalize('NFC').toLowerCase();
  return domainToUnicode(domain) === (written.endsWith('.') ? written.slice(0, -1) : written);
}
