/**
 * Domains of senders, split where organisations begin. The public suffix list is used only here: its answer is a
 * guess, good enough to notice a resemblance, but not to trust.
 */
import { domainToUnicode } from 'node:url';
import { parse } from 'tldts';
import { createCache } from '../../../directory/cache.ts';
import { skeleton } from '../../../protocol/confusables/skeleton.ts';
import { readAuthorDomain } from '../../../protocol/mime/author-domain.ts';
import { IDENTITY_LIMITS } from './limits.ts';

export interface Host {
  /** The registered domain: `example.co.uk`. */
  readonly registered: string;
  /** The label before the public suffix: `example`. */
  readonly label: string;
  readonly suffix: string;
  /** The labels before the registered domain; empty if there are none. */
  readonly below: string;
}

/** Private suffixes count (`github.io`), since unrelated customers share them. */
const OPTIONS = { allowPrivateDomains: true, validateHostname: false } as const;

/** The list's answer for a domain never changes, and the same domains come again. */
const known = createCache<Host | 'none'>(IDENTITY_LIMITS.rememberedDomains);

/** Undefined for text that is no domain name, or only a suffix. Usually the same host is the same object. */
export function readHost(domain: string): Host | undefined {
  if (domain.length > IDENTITY_LIMITS.domainCharacters) return parseHost(domain);
  const host = known.get(domain) ?? remember(domain);
  return host === 'none' ? undefined : host;
}

function remember(domain: string): Host | 'none' {
  // A copy: a slice of the header would keep the whole header in memory.
  const copy = Buffer.from(domain).toString();
  const host = parseHost(copy) ?? 'none';
  known.set(copy, host);
  return host;
}

function parseHost(domain: string): Host | undefined {
  const ascii = readAuthorDomain(domain)?.domain;
  if (ascii === undefined) return undefined;
  const { domain: registered, domainWithoutSuffix, publicSuffix, subdomain } = parse(ascii, OPTIONS);
  if (!registered || !domainWithoutSuffix) return undefined;
  return { registered, label: domainWithoutSuffix, suffix: publicSuffix ?? '', below: subdomain ?? '' };
}

/** A label as a reader sees it (RFC 5890), as its skeleton. */
export function labelSkeleton(label: string): string {
  return skeleton(label.includes('xn--') ? domainToUnicode(label) || label : label);
}
