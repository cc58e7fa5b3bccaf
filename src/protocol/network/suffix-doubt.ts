/**
 * Host and address patterns that are probably a mistake: they cover names under which anybody may register one
 * (`com`, `*@*.co.uk`, `*bank*`). By the public suffix list, so a suffix younger than the release is not known;
 * private names without a suffix (`*.internal`) pass.
 */
import { domainToASCII } from 'node:url';
import { parse } from 'tldts';

/** `suffix`: the public suffix; empty if the pattern names no domain at all. */
export interface SuffixDoubt {
  readonly kind: 'public-suffix';
  readonly pattern: string;
  readonly suffix: string;
}

/** Private suffixes count below a `*` only: `github.io` itself has one owner, `*.github.io` has thousands. */
const OPTIONS = { allowPrivateDomains: true, validateHostname: false } as const;

/**
 * `pattern`: a domain or an address, with or without wildcards; `below`: it also covers everything below the domain.
 */
export function suffixDoubt(pattern: string, below = false): SuffixDoubt | undefined {
  // UTS 46: normalised as for matching, whatever the width of its letters and dots.
  const typed = pattern.trim().normalize('NFKC').replaceAll('\u3002', '.').toLowerCase();
  const domain = typed.slice(typed.lastIndexOf('@') + 1).replace(/\.$/, '');
  if (domain === '' || domain.startsWith('[')) return undefined;
  const written = literalEnd(below ? `*.${domain}` : domain);
  const literal = domainToASCII(written) || written;
  const doubt = (suffix: string): SuffixDoubt => ({ kind: 'public-suffix', pattern, suffix });
  if (literal === '') return doubt('');
  const { publicSuffix, isIcann, isPrivate } = parse(literal, OPTIONS);
  if (publicSuffix !== literal) return undefined;
  return isIcann || (isPrivate && (below || written !== domain)) ? doubt(literal) : undefined;
}

/** Completes `it must be`. */
export function suffixMust({ pattern, suffix }: SuffixDoubt): string {
  return suffix === ''
    ? `below one organisation's domain, and ${pattern} covers everybody's`
    : `below one organisation's domain, and anybody may register one under ${suffix}`;
}

/** The labels after the last one that has a wildcard. */
function literalEnd(domain: string): string {
  const labels = domain.split('.');
  const wild = labels.findLastIndex((label) => /[*?]/.test(label));
  return labels.slice(wild + 1).join('.');
}
