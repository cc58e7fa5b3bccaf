/**
 * Makes a message fit for a peer without 8BITMIME, CHUNKING or BINARYMIME (RFC 6152 3, RFC 3030 3).
 *
 * Leaves become quoted-printable (text) or base64, and what the parts around them say of their
 * encoding is put right; nothing else changes, and whoever decodes reads the same octets as before.
 * Never inside a signature or an encryption. Works on the tree alone: the answer is a list of
 * segments, so that content of any size streams through `createRewriter`. A message that needs no
 * change is left alone even where its lines are long, since every change breaks a DKIM signature;
 * once it is changed, long lines are mended with it.
 */
import type {
  MimePart,
  MimeProblemCode,
  MimeTree,
  OctetFacts,
  Segment,
  SevenBit,
  SevenBitObstacle,
  TransferEncoding,
} from './words.ts';

/** RFC 5321 4.5.3.1.6, without CRLF. */
const LONGEST_LINE = 998;

/** With these, a field or a part may have been missed, and with it what the change would have to respect. */
const UNSURE: ReadonlySet<MimeProblemCode> = new Set<MimeProblemCode>([
  'header-too-long',
  'line-too-long',
  'too-many-fields',
  'duplicate-content-field',
  'encoded-composite',
  'too-deep',
  'too-many-parts',
]);

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly by: Segment;
}

export function toSevenBit(tree: MimeTree): SevenBit {
  if (!demandsChange(tree.root)) return { kind: 'unchanged' };
  if (tree.problems.some(({ code }) => UNSURE.has(code))) return { kind: 'cannot', reason: 'malformed' };
  const edits: Edit[] = [];
  const obstacle = convert(tree.root, true, tree.sizeBytes, edits);
  if (obstacle) return { kind: 'cannot', reason: obstacle };
  return { kind: 'converted', segments: applyEdits(edits, tree.sizeBytes) };
}

function isPlain(octets: OctetFacts): boolean {
  return !octets.has8bit && !octets.isBinary;
}

/** Whether something in the part cannot travel by DATA as 7-bit. */
function demandsChange(part: MimePart): boolean {
  return !isPlain(part.header) || !isPlain(part.octets) || part.children.some(demandsChange);
}

/** `isTop`: the header is that of a message, where MIME-Version belongs. */
function convert(part: MimePart, isTop: boolean, sizeBytes: number, edits: Edit[]): SevenBitObstacle | undefined {
  if (part.header.has8bit) return 'header-8bit';
  if (part.header.isBinary) return 'malformed';
  if (part.kind === 'leaf') return convertLeaf(part, isTop, sizeBytes, edits);

  const inside = !isPlain(part.octets) || part.children.some(demandsChange);
  if (isProtected(part)) return inside ? 'protected' : undefined;
  if (!isPlain(part.octets)) return 'malformed';
  if (part.type.value === 'message/global' && inside) return convertGlobal(part, isTop, sizeBytes, edits);
  if (part.encoding === '8bit' || part.encoding === 'binary') setEncoding(part, '7bit', isTop, edits);
  for (const child of part.children) {
    const obstacle = convert(child, part.kind === 'message', sizeBytes, edits);
    if (obstacle) return obstacle;
  }
  return undefined;
}

/** RFC 6532 3.7: message/global, unlike message/rfc822, may be encoded as a whole, with its 8-bit header. */
function convertGlobal(part: MimePart, isTop: boolean, sizeBytes: number, edits: Edit[]): undefined {
  setEncoding(part, 'base64', isTop, edits);
  encodeBody(part, 'base64', sizeBytes, edits);
}

function convertLeaf(part: MimePart, isTop: boolean, sizeBytes: number, edits: Edit[]): SevenBitObstacle | undefined {
  const mustChange = !isPlain(part.octets);
  if (isProtected(part)) return mustChange ? 'protected' : undefined;
  const isIdentity = part.encoding === '7bit' || part.encoding === '8bit' || part.encoding === 'binary';
  if (!isIdentity || !isEncodable(part)) return mustChange ? 'not-encodable' : undefined;
  if (!mustChange && part.octets.longestLine <= LONGEST_LINE) {
    if (part.encoding !== '7bit') setEncoding(part, '7bit', isTop, edits);
    return undefined;
  }
  const encoding = part.type.value.startsWith('text/') && !part.octets.isBinary ? 'quoted-printable' : 'base64';
  setEncoding(part, encoding, isTop, edits);
  encodeBody(part, encoding, sizeBytes, edits);
  return undefined;
}

/** RFC 1847 2.1, RFC 8551 3.1. */
function isProtected({ type }: MimePart): boolean {
  return /^(multipart\/(signed|encrypted)|application\/(x-)?pkcs7-mime)$/.test(type.value);
}

/** RFC 2045 6.4 forbids encoding message parts; RFC 6533 allows it for its own. */
function isEncodable({ type }: MimePart): boolean {
  return !type.value.startsWith('message/') || type.value.startsWith('message/global');
}

function encodeBody(part: MimePart, encoding: 'quoted-printable' | 'base64', sizeBytes: number, edits: Edit[]): void {
  const { start, end } = part.body;
  edits.push({ start, end, by: { kind: 'encoded', start, end, encoding } });
  // A message ends with a line break; inside a multipart the boundary brings it.
  if (encoding === 'base64' && end === sizeBytes) edits.push({ start: end, end, by: text('\r\n') });
}

/** Replaces Content-Transfer-Encoding, or adds it with what else a MIME header needs. */
function setEncoding(part: MimePart, encoding: TransferEncoding, isTop: boolean, edits: Edit[]): void {
  const has = (name: string): boolean => part.fields.some((field) => field.name === name);
  const line = `Content-Transfer-Encoding: ${encoding}\r\n`;
  const present = part.fields.find((field) => field.name === 'content-transfer-encoding');
  if (present) edits.push({ start: present.start, end: present.end, by: text(line) });
  // Only a label changes: the part may even lack the empty line that more fields would go before.
  if (encoding === '7bit') return;
  let added = present ? '' : line;
  // RFC 1428 3: 8-bit text that says nothing of itself.
  if (!has('content-type') && encoding === 'quoted-printable')
    added += 'Content-Type: text/plain; charset=unknown-8bit\r\n';
  if (isTop && !has('mime-version')) added += 'MIME-Version: 1.0\r\n';
  const emptyLine = part.header.end - 2;
  if (added !== '') edits.push({ start: emptyLine, end: emptyLine, by: text(added) });
}

function text(value: string): Segment {
  return { kind: 'bytes', bytes: Buffer.from(value, 'latin1') };
}

/** `edits` are in order and do not overlap. */
function applyEdits(edits: readonly Edit[], sizeBytes: number): Segment[] {
  const segments: Segment[] = [];
  let position = 0;
  const copyTo = (end: number): void => {
    if (end > position) segments.push({ kind: 'original', start: position, end });
  };
  for (const edit of edits) {
    copyTo(edit.start);
    segments.push(edit.by);
    position = edit.end;
  }
  copyTo(sizeBytes);
  return segments;
}
