/**
 * The walk over a header: bytes to lines to fields, one pass, without copies and callbacks.
 *
 * Every reader of headers uses this one, so that all agree on where a field starts and where the header ends.
 * Tolerates 8-bit bytes and white space before the colon (RFC 5322 4.5). Stops at the bounds of limits.ts with a
 * typed problem; never throws.
 */
import { MIME_LIMITS } from './limits.ts';
import { type LineCursor, lineCursor, nextLine } from './lines.ts';
import type { HeaderProblem } from './types.ts';

export interface HeaderWalk {
  /** The field read last is `[start, end)`: its name ends before `nameEnd`, its value starts at `valueStart`. */
  start: number;
  nameEnd: number;
  valueStart: number;
  end: number;
  fieldCount: number;
  /** Lines that are neither a field nor a continuation of one. */
  malformedLines: number;
  hasEmptyLine: boolean;
  problem: Exclude<HeaderProblem, 'no-end'> | undefined;
  readonly line: LineCursor;
  readonly bound: number;
  readonly limit: number;
  isOver: boolean;
  /** The last line opened a field here, whose end is not known yet; else -1. */
  opened: number;
  openedNameEnd: number;
}

const COLON = 58;

export function walkHeader(start: number, limit: number): HeaderWalk {
  return {
    start,
    nameEnd: start,
    valueStart: start,
    end: start,
    fieldCount: 0,
    malformedLines: 0,
    hasEmptyLine: false,
    problem: undefined,
    line: lineCursor(start),
    bound: Math.min(limit, start + MIME_LIMITS.headerBytes),
    limit,
    isOver: false,
    opened: -1,
    openedNameEnd: -1,
  };
}

/** Moves to the next field; false after the last one. */
export function nextField(bytes: Uint8Array, walk: HeaderWalk): boolean {
  const { line } = walk;
  while (readLine(bytes, walk)) {
    if (isBlank(bytes[line.start]!)) {
      if (walk.opened < 0) walk.malformedLines++;
      continue;
    }
    const { opened, openedNameEnd } = walk;
    open(bytes, walk);
    if (opened >= 0) return found(bytes, walk, opened, openedNameEnd, line.start);
  }
  const { opened, openedNameEnd } = walk;
  walk.opened = -1;
  return opened >= 0 && found(bytes, walk, opened, openedNameEnd, walk.hasEmptyLine ? line.start : headerEnd(walk));
}

/** The position after the empty line; without one, how far reading came. Call it once all fields were read. */
export function headerEnd({ hasEmptyLine, problem, line }: HeaderWalk): number {
  return hasEmptyLine || !problem ? line.next : line.start;
}

/** False at the end of the header: at its empty line, at the end of the input, or beyond a bound. */
function readLine(bytes: Uint8Array, walk: HeaderWalk): boolean {
  const { line, bound } = walk;
  if (walk.isOver) return false;
  if (!nextLine(bytes, line, bound)) walk.isOver = true;
  else if (line.end === line.start && line.next > line.end) walk.hasEmptyLine = walk.isOver = true;
  else {
    if (line.next === bound && bound < walk.limit) walk.problem = 'header-too-long';
    else if (line.end - line.start > MIME_LIMITS.headerLineBytes) walk.problem = 'line-too-long';
    else if (walk.fieldCount === MIME_LIMITS.headerFields) walk.problem = 'too-many-fields';
    if (walk.problem) walk.isOver = true;
  }
  return !walk.isOver;
}

/** Records where the field of this line starts, or that it is none. */
function open(bytes: Uint8Array, walk: HeaderWalk): void {
  const { line } = walk;
  walk.openedNameEnd = endOfName(bytes, line.start, line.end);
  walk.opened = walk.openedNameEnd < 0 ? -1 : line.start;
  if (walk.opened < 0) walk.malformedLines++;
  else walk.fieldCount++;
}

function found(bytes: Uint8Array, walk: HeaderWalk, start: number, nameEnd: number, end: number): true {
  walk.start = start;
  walk.nameEnd = nameEnd;
  walk.valueStart = behindColon(bytes, nameEnd);
  walk.end = end;
  return true;
}

function isBlank(octet: number): boolean {
  return octet === 32 || octet === 9;
}

/** Where the name of the field at `start` ends, else -1. RFC 5322 2.2: printable ASCII without colon. */
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
