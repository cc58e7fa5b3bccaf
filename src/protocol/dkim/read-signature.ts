/**
 * Signature fields as a verifier reads them: `DKIM-Signature` (RFC 6376 3.5, 6.1.1) and
 * `ARC-Message-Signature` (RFC 8617 4.1.2).
 *
 * A flaw of a field becomes a sentence, and everything readable is read, so that a log can name it. Linear; never
 * throws.
 */
import { readable } from '../mime/text.ts';
import { asciiDomain } from './domain.ts';
import { readNames, readTags } from './tags.ts';

export type Canonicalization = 'relaxed' | 'simple';
export type KeyType = 'rsa' | 'ed25519';

export interface ReadSignature {
  /** The field without its last CRLF, one character a byte. */
  readonly raw: string;
  /** As written. */
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: string;
  readonly keyType: KeyType;
  readonly hash: 'sha256' | 'sha1';
  readonly header: Canonicalization;
  readonly body: Canonicalization;
  /** `h=`: lower-case names, in order. */
  readonly names: readonly string[];
  /** Base64. */
  readonly bodyHash: string;
  readonly signature: string;
  /** `l=`: how many bytes of the body are signed. */
  readonly bodyLength?: number;
  /** Seconds since the epoch. */
  readonly signedAt?: number;
  readonly expiresAt?: number;
  /** `i=` is in a subdomain of `d=`, which a key with `t=s` forbids. */
  readonly isForSubdomain: boolean;
  /** Why it cannot be verified. */
  readonly problem?: string;
}

const REQUIRED = ['v', 'a', 'b', 'bh', 'd', 'h', 's'] as const;
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const DOMAIN_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})+$`);
const SELECTOR = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
/** RFC 6376 3.5: sig-t-tag, sig-x-tag, sig-l-tag. */
const NUMBERS: readonly (readonly [tag: string, format: RegExp])[] = [
  ['t', /^[0-9]{1,12}$/],
  ['x', /^[0-9]{1,12}$/],
  ['l', /^[0-9]{1,76}$/],
];
const ALGORITHM = /^(rsa|ed25519)-(sha256|sha1)$/i;

export function readSignature(raw: string, kind: 'dkim' | 'arc'): ReadSignature {
  const list = readTags(readable(raw.slice(raw.indexOf(':') + 1)));
  const { tags } = list;
  const tag = (name: string): string => tags.get(name) ?? '';
  const tight = (name: string): string => tag(name).replaceAll(' ', '');
  const [, type = 'rsa', hash = 'sha256'] = ALGORITHM.exec(tag('a')) ?? [];
  const [header, body = 'simple'] = (tag('c') || 'simple')
    .toLowerCase()
    .split('/', 2)
    .map((word) => word.trim());
  const signature = {
    raw,
    domain: tag('d'),
    selector: tag('s'),
    algorithm: tag('a'),
    keyType: type.toLowerCase() as KeyType,
    hash: hash.toLowerCase() as 'sha256' | 'sha1',
    header: header as Canonicalization,
    body: body as Canonicalization,
    names: readNames(tags.get('h')),
    bodyHash: tight('bh'),
    signature: tight('b'),
    ...numbered('bodyLength', tags.get('l')),
    ...numbered('signedAt', tags.get('t')),
    ...numbered('expiresAt', tags.get('x')),
  };
  const identity = identityOf(tags.get('i'), kind, signature.domain);
  const problem =
    unusable(signature, kind) ??
    (kind === 'dkim' ? malformed(list, signature, identity) : undefined) ??
    // RFC 6376 6.1.1: such a signature does not cover the author.
    (signature.names.includes('from') ? undefined : 'From field not signed');
  return { ...signature, isForSubdomain: identity === 'subdomain', ...(problem !== undefined && { problem }) };
}

function numbered<K extends string>(name: K, value: string | undefined): { [_ in K]?: number } {
  return (value !== undefined && /^[0-9]+$/.test(value) ? { [name]: Number(value) } : {}) as { [_ in K]?: number };
}

type Tags = Omit<ReadSignature, 'isForSubdomain' | 'problem'>;

function unusable({ algorithm, header, body, domain, selector, hash, keyType }: Tags, kind: 'dkim' | 'arc') {
  // RFC 8463 defines no Ed25519 with SHA-1, RFC 8617 no SHA-1 at all.
  const isKnown = ALGORITHM.test(algorithm) && (hash === 'sha256' || (kind === 'dkim' && keyType === 'rsa'));
  if (!isKnown) return 'unknown algorithm';
  if (![header, body].every((word) => word === 'relaxed' || word === 'simple')) return 'unknown canonicalization';
  return domain === '' || selector === '' ? 'signature missing required tag' : undefined;
}

/** RFC 6376 6.1.1. */
function malformed({ tags, isMalformed }: ReturnType<typeof readTags>, read: Tags, identity: Identity) {
  if (isMalformed) return 'signature syntax error';
  if (REQUIRED.some((name) => !tags.has(name))) return 'signature missing required tag';
  if (tags.get('v') !== '1') return 'incompatible version';
  if (NUMBERS.some(([name, format]) => tags.has(name) && !format.test(tags.get(name)!)))
    return 'signature syntax error';
  if (read.names.length === 0) return 'signature syntax error';
  if (!DOMAIN_NAME.test(asciiDomain(read.domain)) || !SELECTOR.test(asciiDomain(read.selector)))
    return 'signature syntax error';
  const methods = tags.get('q');
  if (methods !== undefined && !readNames(methods).includes('dns/txt')) return 'unsupported query method';
  if (identity === 'malformed') return 'signature syntax error';
  if (identity === 'other') return 'domain mismatch';
  const { signedAt, expiresAt } = read;
  return signedAt !== undefined && expiresAt !== undefined && expiresAt <= signedAt ? 'invalid expiration' : undefined;
}

type Identity = 'domain' | 'subdomain' | 'other' | 'malformed';

/** RFC 6376 2.6, 3.5: the identity in `i=`. In ARC `i=` is the number of the set. */
function identityOf(value: string | undefined, kind: 'dkim' | 'arc', domain: string): Identity {
  if (value === undefined || kind === 'arc') return 'domain';
  // RFC 6376 2.11: bytes as `=40`.
  const octets = Buffer.from(value.replaceAll(' ', ''), 'utf8')
    .toString('latin1')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const text = readable(octets);
  const at = text.lastIndexOf('@');
  const own = asciiDomain(text.slice(at + 1)).toLowerCase();
  if (at < 0 || !DOMAIN_NAME.test(own) || !isLocalPart(text.slice(0, at))) return 'malformed';
  const signer = asciiDomain(domain).toLowerCase();
  if (own === signer) return 'domain';
  return own.endsWith(`.${signer}`) ? 'subdomain' : 'other';
}

function isLocalPart(local: string): boolean {
  if (local === '' || /^"(?:[^"\\\r\n]|\\.)*"$/.test(local)) return true;
  return local.split('.').every((word) => /^[^\x00-\x20\x7f"(),:;<>@[\\\].]+$/.test(word));
}
