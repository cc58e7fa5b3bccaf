/** A header as a list of fields: names in lower case, ranges, nothing copied. For whoever edits or reads many fields. */
import { MIME_LIMITS } from './limits.ts';
import { octetFacts } from './lines.ts';
import { binaryString } from './text.ts';
import { walkHeader } from './walk-header.ts';
import type { HeaderField, HeaderProblem, OctetFacts } from './words.ts';

export interface ScannedHeader {
  readonly fields: readonly HeaderField[];
  /** Where the body starts; with `problem`, how far reading came. */
  readonly end: number;
  /** A header may also end with the message (RFC 5322 3.5). */
  readonly hasEmptyLine: boolean;
  readonly problem?: Exclude<HeaderProblem, 'no-end'>;
  /** Starts of lines that are neither field nor continuation. */
  readonly malformed: readonly number[];
  readonly octets: OctetFacts;
}

export function scanFields(bytes: Uint8Array, start = 0, end = bytes.length): ScannedHeader {
  const fields: HeaderField[] = [];
  const malformed: number[] = [];
  const walk = walkHeader(bytes, start, end, {
    field(fieldStart, nameEnd, valueStart, fieldEnd) {
      const name = binaryString(bytes, fieldStart, nameEnd).toLowerCase();
      fields.push({ name, start: fieldStart, end: fieldEnd, valueStart });
    },
    malformed(lineStart) {
      if (malformed.length < MIME_LIMITS.headerFields) malformed.push(lineStart);
    },
  });
  return {
    fields,
    malformed,
    end: walk.end,
    hasEmptyLine: walk.hasEmptyLine,
    problem: walk.problem,
    octets: octetFacts(walk.lines),
  };
}
