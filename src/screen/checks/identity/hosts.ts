/**
 * Domains of senders, cut where organisations begin. The public suffix list serves here only: what it
 * says of an organisation is a guess, good enough to notice a likeness, never to trust.
 */
import { domainToUnicode } from 'node:url';
import { parse } from 'tldts';
import { createCache } from '../../../directory/cache.ts';
import { skeleton } from '../../../protocol/confusables/skeleton.ts';
import { readAuthorDomain } from '../../../protocol/mime/author-domain.ts';
import { IDENTITY_LIMITS } from './limits.ts';

export interface Host {
  /** What somebody registered: `example.co.uk`. */
  readonly registered: string;
  /** Before the public suffix: `example`. */
  readonly label: string;
  readonly suffix: string;
  /** Before what was registered; empty where there is nothing. */
  readonly below: string;
}

/** Private suffixes count (`github.io`), since strangers share them. */
const OPTIONS = { allowPrivateDomains: true, validateHostname: false } as const;

/** The list says the same of a domain always, and the same domains come again. */
const known = createCache<Host | 'none'>(IDENTITY_LIMITS.rememberedDomains);

/** Undefined for what is no domain name, or is nothing but a suffix. The same host is mostly the same object. */
export function readHost(domain: string): Host | undefined {
  if (domain.length > IDENTITY_LIMITS.domainCharacters) return parseHost(domain);
  const host = known.get(domain) ?? remember(domain);
  return host === 'none' ? undefined : host;
}

function remember(domain: string): Host | 'none' {
  // A copy: as a piece of a header it would keep the whole of it.
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

/** What a reader sees of a label (RFC 5890), as its skeleton. */
export function labelSkeleton(label: string): string {
  return skeleton(label.includes('xn--') ? domainToUnicode(label) || label : label);
}
