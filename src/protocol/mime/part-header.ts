/**
 * What a part's header states about its body (RFC 2045, RFC 2183), and what is unclear in it.
 *
 * Only the fields that a reader of MIME needs are kept, two of each at most, so that a hostile header of thousands of
 * fields takes no lasting memory.
 */
import { decodeUnstructured } from './encoded-words.ts';
import { MIME_LIMITS } from './limits.ts';
import { byteFacts } from './lines.ts';
import { type Parameterised, parseParameterised } from './parameterised.ts';
import { binaryString, fieldValue } from './text.ts';
import type { ByteFacts, ContentType, HeaderField, MimeProblemCode, TransferEncoding } from './types.ts';
import { nextField, walkHeader } from './walk-header.ts';

export interface PartHeader {
  readonly fields: readonly HeaderField[];
  readonly bytes: ByteFacts;
  readonly type: ContentType;
  readonly encoding: TransferEncoding;
  readonly disposition?: ContentType;
  readonly filename?: string;
  /** As bytes, without the two leading hyphens; absent if there is none to use. */
  readonly boundary?: Uint8Array;
  readonly problems: readonly MimeProblemCode[];
}

const KEPT = [
  'content-type',
  'content-transfer-encoding',
  'content-disposition',
  'content-id',
  'mime-version',
] as const;
const ENCODINGS: readonly string[] = ['7bit', '8bit', 'binary', 'quoted-printable', 'base64'];

/** `bytes` is the header alone, with or without its empty line; `offset` is where it starts in the message. */
export function readPartHeader(bytes: Uint8Array, offset: number, defaultType: string): PartHeader {
  const problems: MimeProblemCode[] = [];
  const kept: HeaderField[] = [];
  const walk = walkHeader(0, bytes.length);
  while (nextField(bytes, walk)) {
    const { start, nameEnd, valueStart, end } = walk;
    // All fields that are kept start with C or M; the others never become strings.
    const initial = bytes[start]! | 32;
    if (initial !== 99 && initial !== 109) continue;
    const name = KEPT.find((known) => known.length === nameEnd - start && sameName(bytes, start, known));
    if (name && kept.filter((field) => field.name === name).length < 2) kept.push({ name, start, end, valueStart });
  }
  if (walk.malformedLines > 0) problems.push('malformed-header-line');
  if (walk.problem) problems.push(walk.problem);

  const first = (name: (typeof KEPT)[number]): string | undefined => {
    const same = kept.filter((field) => field.name === name);
    if (same.length > 1) problems.push('duplicate-content-field');
    return same[0] && fieldValue(bytes, same[0]);
  };
  const type = readType(first('content-type'), defaultType, problems);
  const encoding = readEncoding(first('content-transfer-encoding'), problems);
  const disposition = readDisposition(first('content-disposition'), problems);
  const filename = disposition?.parameters.get('filename') ?? type.parameters.get('name');
  return {
    fields: kept.map((field) => ({
      name: field.name,
      start: field.start + offset,
      end: field.end + offset,
      valueStart: field.valueStart + offset,
    })),
    bytes: byteFacts(walk.line),
    type,
    encoding,
    disposition,
    // No RFC defines this form, but most senders write it.
    filename:
      filename === undefined ? undefined : decodeUnstructured(toBinary(filename), MIME_LIMITS.subjectCharacters),
    boundary: type.value.startsWith('multipart/') ? readBoundary(type, problems) : undefined,
    problems,
  };
}

function sameName(bytes: Uint8Array, start: number, name: string): boolean {
  return binaryString(bytes, start, start + name.length).toLowerCase() === name;
}

/** Text back to the binary string that it was decoded from. */
function toBinary(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function readType(value: string | undefined, defaultType: string, problems: MimeProblemCode[]): Parameterised {
  if (value === undefined) return parseParameterised(defaultType);
  const type = parseParameterised(value);
  if (type.isMalformed || !/^[^/]+\/[^/]+$/.test(type.value)) problems.push('malformed-content-type');
  if (['boundary', 'name', 'charset'].some((name) => type.ambiguous.has(name))) problems.push('duplicate-parameter');
  // RFC 2045 5.2: an unreadable type counts as text.
  return type.value.includes('/') ? type : { ...type, value: 'text/plain' };
}

function readEncoding(value: string | undefined, problems: MimeProblemCode[]): TransferEncoding {
  if (value === undefined) return '7bit';
  const encoding = parseParameterised(value);
  if (encoding.isMalformed || encoding.parameters.size > 0 || value.includes(';')) problems.push('malformed-encoding');
  if (ENCODINGS.includes(encoding.value)) return encoding.value as TransferEncoding;
  problems.push('unknown-encoding');
  return 'unknown';
}

function readDisposition(value: string | undefined, problems: MimeProblemCode[]): Parameterised | undefined {
  if (value === undefined) return undefined;
  const disposition = parseParameterised(value);
  if (disposition.isMalformed) problems.push('malformed-disposition');
  if (disposition.ambiguous.has('filename')) problems.push('duplicate-parameter');
  return disposition;
}

/** RFC 2046 5.1.1: 1 to 70 of its characters, not ending in a blank. Any other boundary is used, and reported. */
function readBoundary(type: Parameterised | ContentType, problems: MimeProblemCode[]): Uint8Array | undefined {
  const boundary = type.parameters.get('boundary');
  if (boundary === undefined || boundary === '') {
    problems.push('missing-boundary-parameter');
    return undefined;
  }
  const bytes = Buffer.from(boundary, 'utf8');
  const isExtended = 'extended' in type && type.extended.has('boundary');
  if (isExtended || !/^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary))
    problems.push('odd-boundary-parameter');
  if (bytes.length > MIME_LIMITS.boundaryBytes) {
    problems.push('missing-boundary-parameter');
    return undefined;
  }
  return bytes;
}
