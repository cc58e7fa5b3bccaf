/**
 * What receiving and the log need of every message's header, read in one pass without copying it.
 *
 * Only the few fields asked for become strings. Never throws; what cannot be told is said by
 * `problem`, and what is odd but clear is counted.
 */
import { parseAddressList } from './address-list.ts';
import { decodeUnstructured } from './encoded-words.ts';
import { MIME_LIMITS } from './limits.ts';
import { fieldValue, readable } from './text.ts';
import { walkHeader } from './walk-header.ts';
import type { AddressList, HeaderFacts } from './words.ts';

/** `complete: false` says that more of the message follows behind `bytes`: then a header without an end is a problem. */
export function inspectHeader(bytes: Uint8Array, complete = true): HeaderFacts {
  let malformedLines = 0;
  let receivedCount = 0;
  const fromFields: AddressList[] = [];
  let subject: string | undefined;
  let messageId: string | undefined;

  const walk = walkHeader(bytes, 0, bytes.length, {
    field(start, nameEnd, valueStart, end) {
      const length = nameEnd - start;
      if (length === 8 && isNamed(bytes, start, 'received')) receivedCount++;
      else if (length === 4 && isNamed(bytes, start, 'from'))
        fromFields.push(parseAddressList(readable(fieldValue(bytes, { valueStart, end }))));
      else if (length === 7 && subject === undefined && isNamed(bytes, start, 'subject'))
        subject = decodeUnstructured(fieldValue(bytes, { valueStart, end }), MIME_LIMITS.subjectCharacters);
      else if (length === 10 && messageId === undefined && isNamed(bytes, start, 'message-id'))
        messageId = readable(fieldValue(bytes, { valueStart, end })).slice(0, MIME_LIMITS.subjectCharacters);
    },
    malformed() {
      malformedLines++;
    },
  });
  const { lines, fieldCount } = walk;
  return {
    endOffset: walk.end,
    problem: walk.problem ?? (walk.hasEmptyLine || complete ? undefined : 'no-end'),
    fieldCount,
    malformedLines,
    receivedCount,
    fromFields,
    headerFrom: fromFields.length > 0 ? listAddresses(fromFields[0]!) : undefined,
    subject,
    messageId,
    has8bit: lines.mask > 127,
    isBinary: lines.isBinary,
    longestLine: lines.longestLine,
  };
}

/** `name` is lower-case letters and hyphens; setting bit 5 makes a letter small and leaves a hyphen as it is. */
function isNamed(bytes: Uint8Array, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if ((bytes[start + i]! | 32) !== name.charCodeAt(i)) return false;
  return true;
}

function listAddresses(list: AddressList): string | undefined {
  let text: string | undefined;
  for (const { local, domain } of list.mailboxes) {
    const address = domain === '' ? local : `${local}@${domain}`;
    text = text === undefined ? address : `${text}, ${address}`;
    if (text.length > MIME_LIMITS.subjectCharacters) return text.slice(0, MIME_LIMITS.subjectCharacters);
  }
  return text;
}
