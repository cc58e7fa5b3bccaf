/**
 * A signature field before it is signed (RFC 6376 3.5, RFC 8617 4.1.2): its tags, the bytes to sign, and the field
 * once the signature exists.
 */
import { relaxedField } from './canonical.ts';

export type SigningAlgorithm = 'rsa-sha256' | 'ed25519-sha256';

/** RFC 5322 2.1.1: lines should have at most 78 characters. */
const FOLD_AT = 76;

/** Folded between words; `separator` belongs to the word before it. */
export function foldWords(words: readonly string[], separator: string, column: number): string {
  let text = '';
  let length = column;
  for (let i = 0; i < words.length; i++) {
    const word = i < words.length - 1 ? `${words[i]}${separator}` : words[i]!;
    if (i > 0 && length + word.length > FOLD_AT) {
      text += '\r\n\t';
      length = 1;
    }
    text += word;
    length += word.length;
  }
  return text;
}

export interface SignatureDraft {
  /** The field up to and with `b=`. */
  readonly head: string;
  /** The bytes to sign; Ed25519 signs their SHA-256 (RFC 8463 3). One byte a character. */
  readonly covered: string;
}

export interface DkimTags {
  readonly algorithm: SigningAlgorithm;
  readonly domain: string;
  readonly selector: string;
  /** Seconds since the epoch. */
  readonly signedAt: number;
  readonly expiresAt: number;
  readonly bodyHash: string;
  readonly names: readonly string[];
}

/** No `l=`, which lets anyone append, and no `z=`, which would disclose Bcc and other fields. */
export function draftDkim(tags: DkimTags, canonicalHeader: string): SignatureDraft {
  const { algorithm, domain, selector, signedAt, expiresAt, bodyHash, names } = tags;
  const head =
    `DKIM-Signature: v=1; a=${algorithm}; c=relaxed/relaxed; d=${domain};\r\n` +
    `\ts=${selector}; t=${signedAt}; x=${expiresAt};\r\n` +
    `\th=${foldWords(names, ':', 3)};\r\n` +
    `\tbh=${bodyHash};\r\n\tb=`;
  return { head, covered: canonicalHeader + relaxedField(head) };
}

/** A field with CRLF. */
export function finish({ head }: SignatureDraft, signature: Buffer): string {
  const base64 = signature.toString('base64');
  let text = base64.slice(0, 70);
  for (let at = 70; at < base64.length; at += 72) text += `\r\n\t${base64.slice(at, at + 72)}`;
  return `${head}${text}\r\n`;
}
