/**
 * The last part of a report: the original (message/rfc822, or message/global where it has
 * internationalised headers), or its header (text/rfc822-headers of RFC 6522 4, message/global-headers
 * of RFC 6533 4).
 */
import { encodeQuotedPrintable } from '../mime/quoted-printable.ts';
import type { Segment } from '../mime/types.ts';
import type { Returned } from './types.ts';

export interface ReturnedPart {
  /** MIME header of the part, with its empty line. */
  readonly header: string;
  readonly content: Segment;
  readonly is8bit: boolean;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function returnedPart(returned: Returned): ReturnedPart | undefined {
  if (returned.kind === 'none') return undefined;
  if (returned.kind === 'full') {
    const is8bit = returned.body === '8BITMIME' || returned.smtputf8;
    const content: Segment = { kind: 'original', start: 0, end: returned.sizeBytes };
    // Also if its sender did not send SMTPUTF8: message/rfc822 has an ASCII header, and no encoding brings another
    // one to a 7-bit server.
    const isGlobal = returned.smtputf8 || (has8bit(returned.header) && isUtf8(returned.header));
    const header = partHeader(isGlobal ? 'message/global' : 'message/rfc822', is8bit ? '8bit' : undefined);
    return { header, content, is8bit };
  }
  const bytes = plainLines(returned.header);
  const is8bit = has8bit(bytes);
  const type = is8bit && isUtf8(bytes) ? 'message/global-headers' : 'text/rfc822-headers';
  return { header: partHeader(type, is8bit ? '8bit' : undefined), content: { kind: 'bytes', bytes }, is8bit };
}

/** The header as a part that every server takes: RFC 6522 4 uses quoted-printable if it is not 7-bit. */
export function asciiHeadersPart(header: Uint8Array): string {
  const bytes = plainLines(header);
  const text = Buffer.from(bytes).toString('latin1');
  if (!has8bit(bytes) && !hasLongLine(text)) return partHeader('text/rfc822-headers') + text;
  const encoded = Buffer.from(encodeQuotedPrintable(bytes)).toString('latin1');
  return partHeader('text/rfc822-headers', 'quoted-printable') + encoded;
}

/** RFC 5322 2.1.1: 998 characters and CRLF. Checked once a line; a pattern would check from each character. */
function hasLongLine(text: string): boolean {
  for (let start = 0, end = 0; start < text.length; start = end + 1) {
    end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    if (end - start >= 1000) return true;
  }
  return false;
}

function partHeader(type: string, encoding?: '8bit' | 'quoted-printable'): string {
  return `Content-Type: ${type}\r\n${encoding ? `Content-Transfer-Encoding: ${encoding}\r\n` : ''}\r\n`;
}

function has8bit(bytes: Uint8Array): boolean {
  return bytes.some((octet) => octet > 127);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/**
 * A header received by BINARYMIME may hold NUL, and CR or LF alone; DATA cannot carry these. Ends without empty line.
 */
function plainLines(header: Uint8Array): Uint8Array {
  const text = Buffer.from(header.buffer, header.byteOffset, header.length).toString('latin1');
  return Buffer.from(
    text
      .replaceAll('\0', '?')
      .replaceAll(/\r\n|\r|\n/g, '\r\n')
      .trimEnd()
      .concat('\r\n'),
    'latin1',
  );
}
