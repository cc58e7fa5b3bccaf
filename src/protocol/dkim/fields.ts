/**
 * The header as signers see it: its fields in order, and the fields that a signature covers, from the bottom up (RFC
 * 6376 5.4.2).
 */
import { scanFields } from '../mime/fields.ts';
import { relaxedField } from './canonical.ts';

export interface SignedHeader {
  /** In the order of the message, lower-case names; `raw` without the last CRLF, one character a byte. */
  readonly fields: readonly RawField[];
  /** Where the body starts. */
  readonly bodyStart: number;
}

export interface RawField {
  readonly name: string;
  readonly raw: string;
}

/** Undefined: its end is unclear, or readers take some of its lines differently. */
export function signedHeader(bytes: Buffer): SignedHeader | undefined {
  const { fields, end, problem, malformedLines } = scanFields(bytes);
  if (problem || malformedLines > 0) return undefined;
  return {
    fields: fields.map(({ name, start, end: fieldEnd }) => ({
      name,
      raw: bytes.toString('latin1', start, fieldEnd).replace(/\r\n$/, ''),
    })),
    bodyStart: end,
  };
}

/** The text after the colon. */
export function fieldValue({ raw }: RawField): string {
  return raw.slice(raw.indexOf(':') + 1);
}

/**
 * Fields that could be added to deceive a reader: each is named once more than it occurs, so that a further one
 * breaks the signature (RFC 6376 8.15).
 */
const OVERSIGNED = [
  'From',
  'To',
  'Cc',
  'Subject',
  'Date',
  'Message-ID',
  'Reply-To',
  'Sender',
  'In-Reply-To',
  'References',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
  'Content-Disposition',
] as const;

/** Signed if present (RFC 6376 5.4.1); a list may add its own. */
const SIGNED = [
  'Content-ID',
  'Content-Description',
  'Resent-Date',
  'Resent-From',
  'Resent-Sender',
  'Resent-To',
  'Resent-Cc',
  'Resent-Message-ID',
  'List-Id',
  'List-Help',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
  'List-Subscribe',
  'List-Post',
  'List-Owner',
  'List-Archive',
  'Auto-Submitted',
  'Autocrypt',
] as const;

const ORDER = new Map<string, { readonly name: string; readonly more: 0 | 1 }>(
  [...OVERSIGNED.map((name) => [name, 1] as const), ...SIGNED.map((name) => [name, 0] as const)].map(([name, more]) => [
    name.toLowerCase(),
    { name, more },
  ]),
);

export interface Selection {
  /** The value of `h=`. */
  readonly names: readonly string[];
  /** Those fields, canonical, each with CRLF. */
  readonly canonical: string;
}

/** `extra`: further lower-case names, signed if present. */
export function selectFields(fields: readonly RawField[], extra: readonly string[] = []): Selection {
  const present = new Map<string, RawField[]>();
  for (const field of fields) {
    if (!ORDER.has(field.name) && !extra.includes(field.name)) continue;
    const same = present.get(field.name);
    if (same) same.push(field);
    else present.set(field.name, [field]);
  }
  const names: string[] = [];
  let canonical = '';
  const take = (key: string, name: string, more: number): void => {
    const there = present.get(key) ?? [];
    for (let i = there.length - 1; i >= 0; i--) canonical += `${relaxedField(there[i]!.raw)}\r\n`;
    for (let i = there.length + more; i > 0; i--) names.push(name);
  };
  for (const [key, { name, more }] of ORDER) take(key, name, more);
  for (const name of extra) take(name, name, 0);
  return { names, canonical };
}
