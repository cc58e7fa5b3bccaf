/**
 * Minger (draft-hathcock-minger-06): asks a mail server whether a mailbox exists, one line each way.
 *
 *   query    mailbox [SP "d=" digest] [SP tag "=" value ...]
 *   response mailbox SP status
 *
 * The digest is the base64 of the raw MD5 of `secret:mailbox`, the mailbox as written in the query. Pure; transports
 * (UDP and TCP 4069) are above. Never throws for input of a peer.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

/** The status of an answer (draft section 5). */
export type MingerStatus =
  | 'invalid-request'
  | 'access-denied'
  | 'bad-credentials'
  | 'no-such-address'
  | 'exists-inactive'
  | 'exists-active';

const STATUSES: readonly MingerStatus[] = [
  'invalid-request',
  'access-denied',
  'bad-credentials',
  'no-such-address',
  'exists-inactive',
  'exists-active',
];

/** A quoted local part of 64 bytes, each escaped, and the longest domain, with room for tags. */
export const MINGER_LINE_BYTES = 1024;

export interface MingerQuery {
  readonly mailbox: string;
  readonly digest?: string;
  readonly tags: ReadonlyMap<string, string>;
}

export function mingerDigest(secret: string, mailbox: string): string {
  return createHash('md5').update(`${secret}:${mailbox}`, 'utf8').digest('base64');
}

export function formatMingerQuery(mailbox: string, secret?: string): string {
  return secret === undefined ? mailbox : `${mailbox} d=${mingerDigest(secret, mailbox)}`;
}

export function formatMingerAnswer(mailbox: string, status: MingerStatus): string {
  return `${mailbox} ${STATUSES.indexOf(status)}`;
}

/** Undefined for a malformed query, which is answered `invalid-request`. */
export function parseMingerQuery(line: string): MingerQuery | undefined {
  if (line.length > MINGER_LINE_BYTES) return undefined;
  const text = withoutLineEnd(line);
  const at = endOfMailbox(text);
  const mailbox = text.slice(0, at);
  if (mailbox === '' || !mailbox.includes('@') || hasControl(mailbox)) return undefined;
  const tags = new Map<string, string>();
  let digest: string | undefined;
  for (const word of text.slice(at).split(' ')) {
    if (word === '') continue;
    if (word.startsWith('d=') && digest === undefined && tags.size === 0) {
      if (!/^[A-Za-z0-9+/]{22}==$/.test(word.slice(2))) return undefined;
      digest = word.slice(2);
      continue;
    }
    const tag = /^([A-Za-z0-9_]+)=([A-Za-z0-9_]+)$/.exec(word);
    if (!tag || tag[1] === 'd' || tags.has(tag[1]!)) return undefined;
    tags.set(tag[1]!, tag[2]!);
  }
  return { mailbox, digest, tags };
}

/** The mailbox may be a quoted string with spaces in it. */
function endOfMailbox(text: string): number {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (quoted && text[i] === '\\') i++;
    else if (text[i] === '"') quoted = !quoted;
    else if (text[i] === ' ' && !quoted) return i;
  }
  return text.length;
}

export function verifyMingerDigest(query: MingerQuery, secret: string): boolean {
  if (query.digest === undefined) return false;
  return timingSafeEqual(Buffer.from(query.digest), Buffer.from(mingerDigest(secret, query.mailbox)));
}

/** Undefined when this is no answer to that question: a spoofed or garbled datagram is no answer. */
export function parseMingerAnswer(line: string, mailbox: string): MingerStatus | undefined {
  if (line.length > MINGER_LINE_BYTES) return undefined;
  const text = withoutLineEnd(line);
  // From the right: the mailbox may have spaces.
  const space = text.lastIndexOf(' ');
  if (space < 0 || text.slice(0, space).trimEnd().toLowerCase() !== mailbox.toLowerCase()) return undefined;
  return /^[0-5]$/.test(text.slice(space + 1)) ? STATUSES[Number(text[space + 1])] : undefined;
}

function withoutLineEnd(line: string): string {
  return line.replace(/[\r\n\0]+$/, '');
}

function hasControl(text: string): boolean {
  return /[\x00-\x1f\x7f]/.test(text);
}
