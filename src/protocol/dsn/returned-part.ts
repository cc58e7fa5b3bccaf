/**
 * The last part of a report: the original (message/rfc822, or message/global where it has
 * internationalised headers), or its header (text/rfc822-headers of RFC 6522 4, message/global-headers
 * of RFC 6533 4).
 */
import type { Segment } from '../mime/words.ts';
import type { Returned } from './words.ts';

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
    return { header: partHeader(returned.smtputf8 ? 'message/global' : 'message/rfc822', is8bit), content, is8bit };
  }
  const bytes = plainLines(returned.header);
  const is8bit = bytes.some((octet) => octet > 127);
  const type = is8bit && isUtf8(bytes) ? 'message/global-headers' : 'text/rfc822-headers';
  return { header: partHeader(type, is8bit), content: { kind: 'bytes', bytes }, is8bit };
}

function partHeader(type: string, is8bit: boolean): string {
  return `Content-Type: ${type}\r\n${is8bit ? 'Content-Transfer-Encoding: 8bit\r\n' : ''}\r\n`;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** A header that came in by BINARYMIME may hold NUL, and CR or LF alone; DATA cannot carry these. Ends without empty line. */
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
