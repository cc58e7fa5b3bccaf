/**
 * The walk over a header: bytes to lines to fields, one pass, nothing copied.
 *
 * Every reader of headers stands on this one, so that all agree on where a field starts and where the
 * header ends. Tolerates 8-bit octets and white space before the colon (RFC 5322 4.5). Stops at the
 * bounds of limits.ts with a typed problem; never throws.
 */
import { MIME_LIMITS } from './limits.ts';
import { type LineCursor, lineCursor, nextLine } from './lines.ts';
import type { HeaderProblem } from './words.ts';

export interface HeaderVisitor {
  /** A field in `[start, end)`: its name ends before `nameEnd`, its value starts at `valueStart`. */
  field(start: number, nameEnd: number, valueStart: number, end: number): void;
  /** A line that is neither a field nor a continuation of one. */
  malformed(start: number): void;
}

export interface HeaderWalk {
  /** Behind the empty line; where there is none, how far reading came. */
  readonly end: number;
  readonly hasEmptyLine: boolean;
  readonly fieldCount: number;
  readonly problem?: Exclude<HeaderProblem, 'no-end'>;
  readonly lines: LineCursor;
}

const COLON = 58;

export function walkHeader(bytes: Uint8Array, start: number, limit: number, visit: HeaderVisitor): HeaderWalk {
  const bound = Math.min(limit, start + MIME_LIMITS.headerBytes);
  const line = lineCursor(start);
  let fieldStart = -1;
  let nameEnd = -1;
  let fieldCount = 0;
  let hasEmptyLine = false;
  let problem: HeaderWalk['problem'];

  while (nextLine(bytes, line, bound)) {
    if (line.end === line.start && line.next > line.end) {
      hasEmptyLine = true;
      break;
    }
    if (line.next === bound && bound < limit) problem = 'header-too-long';
    else if (line.end - line.start > MIME_LIMITS.headerLineBytes) problem = 'line-too-long';
    else if (fieldCount === MIME_LIMITS.headerFields) problem = 'too-many-fields';
    if (problem) break;

    if (isBlank(bytes[line.start]!)) {
      if (fieldStart < 0) visit.malformed(line.start);
      continue;
    }
    if (fieldStart >= 0) visit.field(fieldStart, nameEnd, behindColon(bytes, nameEnd), line.start);
    nameEnd = endOfName(bytes, line.start, line.end);
    fieldStart = nameEnd < 0 ? -1 : line.start;
    if (fieldStart < 0) visit.malformed(line.start);
    else fieldCount++;
  }
  const end = hasEmptyLine || !problem ? line.next : line.start;
  const fieldsEnd = hasEmptyLine ? line.start : end;
  if (fieldStart >= 0) visit.field(fieldStart, nameEnd, behindColon(bytes, nameEnd), fieldsEnd);
  return { end, hasEmptyLine, fieldCount, problem, lines: line };
}

function isBlank(octet: number): boolean {
  return octet === 32 || octet === 9;
}

/** Where the name of the field ends that starts here, else -1. RFC 5322 2.2: printable ASCII without colon. */
function endOfName(bytes: Uint8Array, start: number, lineEnd: number): number {
  let i = start;
  while (i < lineEnd && bytes[i]! > 32 && bytes[i]! < 127 && bytes[i] !== COLON) i++;
  const end = i;
  while (i < lineEnd && isBlank(bytes[i]!)) i++;
  return i < lineEnd && bytes[i] === COLON && end > start ? end : -1;
}

function behindColon(bytes: Uint8Array, nameEnd: number): number {
  let i = nameEnd;
  while (bytes[i] !== COLON) i++;
  return i + 1;
}
