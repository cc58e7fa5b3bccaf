/**
 * Addresses and host names with wildcards, as operators type them: checked, and converted to the one form that is
 * stored and compared. `*` stands for anything, `?` for one character.
 */
import { parseAddress } from '../../protocol/smtp/address.ts';
import { parseDomain } from '../../protocol/smtp/domain.ts';
import { VALUE_CHARACTERS } from './limits.ts';

/**
 * Whether the whole text matches. Two pointers, no backtracking beyond the last `*`: at most pattern times text
 * steps.
 */
export function matchesWildcards(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    const code = pattern.charCodeAt(p);
    if (code === 0x2a) {
      star = p++;
      resume = t;
    } else if (code === 0x3f || code === text.charCodeAt(t)) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern.charCodeAt(p) === 0x2a) p++;
  return p === pattern.length;
}

export function hasWildcards(text: string): boolean {
  return text.includes('*') || text.includes('?');
}

/** `user@domain`, `*@domain` (also typed `@domain` or `domain`), `*@*.domain`, or any other wildcards. Undefined: none of these. */
export function addressPattern(typed: string): string | undefined {
  const text = typed.trim().toLowerCase();
  if (text === '' || text.length > VALUE_CHARACTERS) return undefined;
  const at = text.lastIndexOf('@');
  const local = at > 0 ? text.slice(0, at) : '*';
  const domain = hostPattern(text.slice(at + 1));
  if (domain === undefined) return undefined;
  if (hasWildcards(local))
    return /^[^\s"@<>()[\],;:\\\u0000-\u001f\u007f]{1,64}$/.test(local) ? `${local}@${domain}` : undefined;
  if (hasWildcards(domain)) return parseAddress(`${local}@example.com`).ok ? `${local}@${domain}` : undefined;
  const address = parseAddress(`${local}@${domain}`);
  return address.ok ? `${address.value.local.toLowerCase()}@${address.value.domain}` : undefined;
}

/** A domain name, `*.domain`, or any other wildcards. Undefined: none of these. */
export function hostPattern(typed: string): string | undefined {
  const text = typed.trim().toLowerCase().replace(/\.$/, '');
  if (text.length > 255) return undefined;
  if (hasWildcards(text)) {
    // A literal part is required, so that it does not match everybody; networks can be catch-all (0.0.0.0/0).
    if (!/[a-z0-9]/.test(text)) return undefined;
    if (text.startsWith('*.') && !hasWildcards(text.slice(2))) {
      const parent = parseDomain(text.slice(2));
      return parent.ok ? `*.${parent.value}` : undefined;
    }
    return /^[a-z0-9_*?](?:[a-z0-9_*?.-]*[a-z0-9*?])?$/.test(text) && !text.includes('..') ? text : undefined;
  }
  const domain = parseDomain(text);
  return domain.ok ? domain.value : undefined;
}
