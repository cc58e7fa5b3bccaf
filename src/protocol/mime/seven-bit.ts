/**
 * Converts a message for a peer without 8BITMIME, CHUNKING or BINARYMIME (RFC 6152 3, RFC 3030 3).
 *
 * Leaves become quoted-printable (text) or base64, and the encoding labels of the parts around them are corrected;
 * nothing else changes, and decoding gives the same bytes as before. Never inside a signature or an encryption.
 * Handles parts one by one, as they stream by: the result is a list of segments, so that content of any size streams
 * through `createRewriter`. A message that needs no change is left alone even if its lines are long, since every
 * change breaks a DKIM signature; once it is changed, long lines are fixed with it.
 */
import { MIME_LIMITS } from './limits.ts';
import { createTreeBuilder, type PartWatcher } from './tree-builder.ts';
import type {
  ByteFacts,
  MimePart,
  MimeProblem,
  MimeProblemCode,
  MimeTree,
  Segment,
  SevenBit,
  SevenBitObstacle,
  TransferEncoding,
} from './types.ts';

/** RFC 5321 4.5.3.1.6, without CRLF. */
const LONGEST_LINE = 998;

/** With these, a field or a part may have been missed that would forbid the change. */
const UNSURE: ReadonlySet<MimeProblemCode> = new Set<MimeProblemCode>([
  'header-too-long',
  'line-too-long',
  'too-many-fields',
  'duplicate-content-field',
  'encoded-composite',
  'too-deep',
  'too-many-parts',
]);

/** The new message, as far as its parts have gone by. Edits come in order and do not overlap. */
interface Edited {
  readonly segments: Segment[];
  /** The segments contain the original up to here. */
  position: number;
}

interface Mark {
  readonly length: number;
  readonly position: number;
}

/** Takes the message in chunks; the state of a part is dropped once the part is over. */
export interface SevenBitConverter {
  push(chunk: Uint8Array): void;
  end(): SevenBit;
}

/** For a message of any number of parts (MIME_LIMITS.convertedParts), without its tree. */
export function createSevenBitConverter(): SevenBitConverter {
  const walk = createWalk();
  const builder = createTreeBuilder(walk, MIME_LIMITS.convertedParts);
  return {
    push: builder.push,
    end() {
      const { sizeBytes, problems } = builder.end();
      return walk.result(sizeBytes, problems);
    },
  };
}

export function toSevenBit(tree: MimeTree): SevenBit {
  const walk = createWalk();
  const visit = (part: MimePart, parent: MimePart | undefined): void => {
    walk.opened(part, parent);
    for (const child of part.children) visit(child, part);
    walk.closed(part, part.body.end === tree.sizeBytes);
  };
  visit(tree.root, undefined);
  return walk.result(tree.sizeBytes, tree.problems);
}

/** An open part: facts about the parts in it, and where its edits begin. */
interface Open {
  readonly part: MimePart;
  /** The header is that of a message, which contains MIME-Version. */
  readonly isTop: boolean;
  readonly mark: Mark;
  /** Something in a part of it cannot travel by DATA as 7-bit. */
  demandsInside: boolean;
  obstacle: SevenBitObstacle | undefined;
}

/** Parts come in the order of the message, so their edits do, too. */
function createWalk(): PartWatcher & {
  result(sizeBytes: number, problems: readonly MimeProblem[]): SevenBit;
} {
  const edited: Edited = { segments: [], position: 0 };
  const stack: Open[] = [];
  let demands = false;
  let obstacle: SevenBitObstacle | undefined;

  /** The obstacle to converting the part that is over. */
  function convert({ part, isTop, mark, demandsInside, obstacle }: Open, endsMessage: boolean) {
    if (part.header.has8bit) return 'header-8bit';
    if (part.header.isBinary) return 'malformed';
    if (part.kind === 'leaf') return convertLeaf(part, isTop, endsMessage, edited);
    const inside = demandsInside || !isPlain(part.bytes);
    if (isProtected(part)) {
      undo(edited, mark);
      return inside ? 'protected' : undefined;
    }
    if (!isPlain(part.bytes)) return 'malformed';
    if (part.type.value !== 'message/global' || !inside) return obstacle;
    undo(edited, mark);
    convertGlobal(part, isTop, endsMessage, edited);
    return undefined;
  }

  return {
    opened(part, parent) {
      const isTop = parent === undefined || parent.kind === 'message';
      stack.push({
        part,
        isTop,
        mark: { length: edited.segments.length, position: edited.position },
        demandsInside: false,
        obstacle: undefined,
      });
      if (part.kind !== 'leaf' && (part.encoding === '8bit' || part.encoding === 'binary'))
        setEncoding(part, '7bit', isTop, edited);
    },
    closed(part, endsMessage) {
      const open = stack.pop()!;
      const met = convert(open, endsMessage);
      const demanding = open.demandsInside || !isPlain(part.header) || !isPlain(part.bytes);
      const around = stack.at(-1);
      if (around) {
        around.demandsInside ||= demanding;
        around.obstacle ??= met;
      } else {
        demands = demanding;
        obstacle = met;
      }
    },
    result(sizeBytes, problems) {
      if (!demands) return { kind: 'unchanged' };
      if (problems.some(({ code }) => UNSURE.has(code))) return { kind: 'cannot', reason: 'malformed' };
      if (obstacle) return { kind: 'cannot', reason: obstacle };
      copyTo(edited, sizeBytes);
      return { kind: 'converted', segments: edited.segments };
    },
  };
}

function isPlain(bytes: ByteFacts): boolean {
  return !bytes.has8bit && !bytes.isBinary;
}

/** RFC 6532 3.7: message/global, unlike message/rfc822, may be encoded as a whole, with its 8-bit header. */
function convertGlobal(part: MimePart, isTop: boolean, endsMessage: boolean, edited: Edited): void {
  setEncoding(part, 'base64', isTop, edited);
  encodeBody(part, 'base64', endsMessage, edited);
}

function convertLeaf(
  part: MimePart,
  isTop: boolean,
  endsMessage: boolean,
  edited: Edited,
): SevenBitObstacle | undefined {
  const mustChange = !isPlain(part.bytes);
  if (isProtected(part)) return mustChange ? 'protected' : undefined;
  const isIdentity = part.encoding === '7bit' || part.encoding === '8bit' || part.encoding === 'binary';
  if (!isIdentity || !isEncodable(part)) return mustChange ? 'not-encodable' : undefined;
  if (!mustChange && part.bytes.longestLine <= LONGEST_LINE) {
    if (part.encoding !== '7bit') setEncoding(part, '7bit', isTop, edited);
    return undefined;
  }
  const encoding = part.type.value.startsWith('text/') && !part.bytes.isBinary ? 'quoted-printable' : 'base64';
  setEncoding(part, encoding, isTop, edited);
  encodeBody(part, encoding, endsMessage, edited);
  return undefined;
}

/** RFC 1847 2.1, RFC 8551 3.1. */
function isProtected({ type }: MimePart): boolean {
  return /^(multipart\/(signed|encrypted)|application\/(x-)?pkcs7-mime)$/.test(type.value);
}

/** RFC 2045 6.4 forbids encoding message parts; RFC 6533 allows it for its own types. */
function isEncodable({ type }: MimePart): boolean {
  return !type.value.startsWith('message/') || type.value.startsWith('message/global');
}

function encodeBody(
  part: MimePart,
  encoding: 'quoted-printable' | 'base64',
  endsMessage: boolean,
  edited: Edited,
): void {
  const { start, end } = part.body;
  replace(edited, start, end, { kind: 'encoded', start, end, encoding });
  // A message ends with a line break; inside a multipart the boundary brings it.
  if (encoding === 'base64' && endsMessage) replace(edited, end, end, text('\r\n'));
}

/** Replaces Content-Transfer-Encoding, or adds it together with the other fields that a MIME header needs. */
function setEncoding(part: MimePart, encoding: TransferEncoding, isTop: boolean, edited: Edited): void {
  const has = (name: string): boolean => part.fields.some((field) => field.name === name);
  const line = `Content-Transfer-Encoding: ${encoding}\r\n`;
  const present = part.fields.find((field) => field.name === 'content-transfer-encoding');
  if (present) replace(edited, present.start, present.end, text(line));
  // Only the label would change: the part may even lack the empty line before which fields are added.
  if (encoding === '7bit') return;
  let added = present ? '' : line;
  // RFC 1428 3: 8-bit text without a declared charset.
  if (!has('content-type') && encoding === 'quoted-printable')
    added += 'Content-Type: text/plain; charset=unknown-8bit\r\n';
  if (isTop && !has('mime-version')) added += 'MIME-Version: 1.0\r\n';
  const emptyLine = part.header.end - 2;
  if (added !== '') replace(edited, emptyLine, emptyLine, text(added));
}

/** Added text is one of a few lines, so each is created once: a message may need it thousands of times. */
const texts = new Map<string, Segment>();

function text(value: string): Segment {
  let segment = texts.get(value);
  if (!segment) {
    segment = { kind: 'bytes', bytes: Buffer.from(value, 'latin1') };
    texts.set(value, segment);
  }
  return segment;
}

function replace(edited: Edited, start: number, end: number, by: Segment): void {
  copyTo(edited, start);
  edited.segments.push(by);
  edited.position = end;
}

function copyTo({ segments, position }: Edited, end: number): void {
  if (end > position) segments.push({ kind: 'original', start: position, end });
}

function undo(edited: Edited, { length, position }: Mark): void {
  edited.segments.length = length;
  edited.position = position;
}
