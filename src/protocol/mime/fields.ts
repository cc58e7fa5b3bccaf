/**
 * A header as a list of fields: names in lower case, ranges, nothing copied. For callers that edit or read many
 * fields.
 */
import { byteFacts } from './lines.ts';
import { binaryString } from './text.ts';
import type { ByteFacts, HeaderField, HeaderProblem } from './types.ts';
import { headerEnd, nextField, walkHeader } from './walk-header.ts';

export interface ScannedHeader {
  readonly fields: readonly HeaderField[];
  /** Where the body starts; with `problem`, how far reading came. */
  readonly end: number;
  /** A header may also end with the message (RFC 5322 3.5). */
  readonly hasEmptyLine: boolean;
  readonly problem?: Exclude<HeaderProblem, 'no-end'>;
  /** Lines that are neither field nor continuation. */
  readonly malformedLines: number;
  readonly bytes: ByteFacts;
}

export function scanFields(bytes: Uint8Array, start = 0, end = bytes.length): ScannedHeader {
  const fields: HeaderField[] = [];
  const walk = walkHeader(start, end);
  while (nextField(bytes, walk)) {
    const name = binaryString(bytes, walk.start, walk.nameEnd).toLowerCase();
    fields.push({ name, start: walk.start, end: walk.end, valueStart: walk.valueStart });
  }
  return {
    fields,
    malformedLines: walk.malformedLines,
    end: headerEnd(walk),
    hasEmptyLine: walk.hasEmptyLine,
    problem: walk.problem,
    bytes: byteFacts(walk.line),
  };
}
