/**
 * Domains and address literals in an envelope (RFC 5321 4.1.2, 4.1.3): text to the one form that every room compares,
 * lower-case ASCII with A-labels (RFC 5890).
 */
import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { DOMAIN_BYTES, LABEL_BYTES } from './limits.ts';
import { type Parsed, parsed, problem } from './parsed.ts';

export function isAsciiText(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** An international domain becomes A-labels; the caller decides whether the session may use one. */
export function parseDomain(text: string): Parsed<string> {
  if (isAsciiText(text)) return parseAsciiDomain(text.toLowerCase());
  const ascii = domainToASCII(text);
  // The mapping also turns full-width digits into an IPv4 address, which is not a name.
  if (ascii === '' || isIPv4(ascii)) return problem('idna', 'the domain is not a valid internationalised name');
  return parseAsciiDomain(ascii);
}

/** The name in HELO in the form for look-ups and comparison: without a final dot. */
export function heloIdentity(said: string): string {
  return said.toLowerCase().replace(/\.$/, '');
}

/**
 * RFC 1123 2.1: the highest label of a name is alphabetic, so this is an address without brackets, or a typing error.
 */
export function endsInNumber(domain: string): boolean {
  return /(?:^|\.)\d+$/.test(domain);
}

/** RFC 5321 4.1.2 Domain; the underscore is not allowed there, but names in use have it. */
function parseAsciiDomain(domain: string): Parsed<string> {
  if (domain.length > DOMAIN_BYTES) return problem('too-long', 'the domain is too long');
  let labelStart = 0;
  for (let i = 0; i <= domain.length; i++) {
    const code = i < domain.length ? domain.charCodeAt(i) : 0x2e;
    if (code === 0x2e) {
      if (i === labelStart) return problem('address', 'the domain has an empty label');
      if (i - labelStart > LABEL_BYTES) return problem('too-long', 'a label of the domain is too long');
      if (domain.charCodeAt(labelStart) === 0x2d || domain.charCodeAt(i - 1) === 0x2d)
        return problem(
          domain.startsWith('xn--', labelStart) ? 'idna' : 'address',
          'a label of the domain begins or ends with a hyphen',
        );
      labelStart = i + 1;
    } else if (!isLetterDigit(code) && code !== 0x2d && code !== 0x5f) {
      return problem('address', 'the domain has a character that no name has');
    }
  }
  if (domain.includes('xn--') && !hasValidALabels(domain))
    return problem('idna', 'the domain is not a valid internationalised name');
  return parsed(domain);
}

/** domainToASCII refuses underscores and reads all-digit names as IPv4, so it gets the A-labels alone. */
function hasValidALabels(domain: string): boolean {
  return domain.split('.').every((label) => !label.startsWith('xn--') || domainToASCII(label) === label);
}

function isLetterDigit(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

/**
 * `[192.0.2.1]` or `[IPv6:2001:db8::1]`, with brackets (RFC 5321 4.1.3). General address literals are refused: only
 * the tag IPv6 was ever registered. A zone index is not part of the grammar.
 */
export function parseAddressLiteral(text: string): Parsed<string> {
  const inner = text.slice(1, -1);
  if (text.startsWith('[') && text.endsWith(']')) {
    if (isIPv4(inner)) return parsed(text);
    const address = /^ipv6:/i.test(inner) ? inner.slice(5) : '';
    if (isIPv6(address) && !address.includes('%')) return parsed(`[IPv6:${address.toLowerCase()}]`);
  }
  return problem('address', 'the address literal is malformed');
}

/** The address inside a literal that `parseAddressLiteral` returned; undefined for a domain name. */
export function literalAddress(domain: string): string | undefined {
  if (!domain.startsWith('[')) return undefined;
  const inner = domain.slice(1, -1);
  return inner.startsWith('IPv6:') ? inner.slice(5) : inner;
}
