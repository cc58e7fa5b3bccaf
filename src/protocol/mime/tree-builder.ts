/**
 * Builds the MIME tree of a message (RFC 2045, RFC 2046) while it streams by: ranges and facts only.
 *
 * Reads what other readers would read, and reports every place where they would differ, for callers that must know
 * that nothing was missed. Never throws; depth, parts and headers are bounded by limits.ts, and content beyond them
 * belongs to the leaf around it, with a problem. A part that is itself encoded is not read: decode it and build its
 * own tree.
 */
import { matchBoundary, overlap } from './boundary.ts';
import { MIME_LIMITS } from './limits.ts';
import { createLineSplitter, type Line } from './line-splitter.ts';
import { readPartHeader } from './part-header.ts';
import type { ByteFacts, MimePart, MimeProblem, MimeProblemCode, MimeTree } from './types.ts';

/** Is called when each part is opened and closed, and may read it then: in place of a tree of all parts. */
export interface PartWatcher {
  /** Its header has been read, and whether it holds others is known. `parent`: undefined for the message itself. */
  opened(part: MimePart, parent: MimePart | undefined): void;
  /**
   * Everything about it is known except its children, which are not kept. `endsMessage`: its body ends where the
   * message does.
   */
  closed(part: MimePart, endsMessage: boolean): void;
}

export interface TreeBuilder {
  push(chunk: Uint8Array): void;
  end(): MimeTree;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Facts = Writable<ByteFacts>;
type Draft = Omit<Writable<MimePart>, 'children' | 'bytes' | 'body'> & {
  readonly children: Draft[];
  readonly bytes: Facts;
  readonly body: { start: number; end: number };
};

/** An open part that holds others. */
interface Frame {
  readonly part: Draft;
  /** Only a multipart has one. */
  readonly boundary?: Uint8Array;
  isClosed: boolean;
  hasChildren: boolean;
}

/** `watcher`: keeps no children, so that memory does not grow with the parts; then `partsAtMost` may be larger. */
export function createTreeBuilder(watcher?: PartWatcher, partsAtMost: number = MIME_LIMITS.parts): TreeBuilder {
  const problems: MimeProblem[] = [];
  const told = new Set<MimeProblemCode>();
  const stack: Frame[] = [];
  const header = createHeaderBuffer();
  let root: Draft | undefined;
  let partCount = 0;
  /** Where the current header started; -1 inside a body. */
  let headerStart = 0;
  /** The current leaf, or undefined in a preamble or epilogue. */
  let leaf: Draft | undefined;
  let previousBreak: 0 | 1 | 2 = 0;

  const tell = (code: MimeProblemCode, at: number): void => {
    // The first of each kind is never lost among many of another.
    if (problems.length < MIME_LIMITS.parts || !told.has(code)) problems.push({ code, at });
    told.add(code);
  };

  /**
   * The facts that lines outside headers add to: the leaf's, else those around the parts of the innermost multipart.
   */
  const region = (): Facts | undefined => (leaf ?? stack.at(-1)?.part)?.bytes;

  function finishHeader(bodyStart: number): void {
    const start = headerStart;
    const parent = stack.at(-1)?.part;
    const defaultType = parent?.type.value === 'multipart/digest' ? 'message/rfc822' : 'text/plain; charset=us-ascii';
    const read = readPartHeader(header.take(), start, defaultType);
    for (const code of read.problems) tell(code, start);
    const { fields, bytes, type, encoding, disposition, filename } = read;
    const part: Draft = {
      kind: 'leaf',
      header: { start, end: bodyStart, ...bytes },
      fields,
      body: { start: bodyStart, end: bodyStart },
      bytes: { has8bit: false, isBinary: false, longestLine: 0 },
      type,
      encoding,
      disposition,
      filename,
      children: [],
    };
    if (++partCount === partsAtMost) tell('too-many-parts', start);
    if (!parent) root = part;
    else {
      stack.at(-1)!.hasChildren = true;
      if (!watcher) parent.children.push(part);
    }
    headerStart = -1;
    previousBreak = 0;
    openPart(part, read.boundary);
    watcher?.opened(part, parent);
  }

  /** Decides whether the part holds others. RFC 2045 6.4: a part that does must not be encoded itself. */
  function openPart(part: Draft, boundary: Uint8Array | undefined): void {
    leaf = part;
    const isMessage = /^message\/(rfc822|global|news)$/.test(part.type.value);
    if (!boundary && !isMessage) return;
    const isEncoded = part.encoding === 'base64' || part.encoding === 'quoted-printable' || part.encoding === 'unknown';
    // RFC 6532 3.5 allows it for message/global, which then is a leaf to decode.
    if (isEncoded && part.type.value !== 'message/global') tell('encoded-composite', part.header.start);
    if (isMessage && isEncoded) return;
    if (stack.length >= MIME_LIMITS.depth) {
      tell('too-deep', part.header.start);
      return;
    }
    if (boundary) compareBoundaries(boundary, part.header.start);
    part.kind = boundary ? 'multipart' : 'message';
    leaf = undefined;
    stack.push({ part, boundary, isClosed: false, hasChildren: false });
    if (isMessage) headerStart = part.body.start;
  }

  function compareBoundaries(boundary: Uint8Array, at: number): void {
    for (const frame of stack) {
      const relation = frame.boundary ? overlap(frame.boundary, boundary) : 'none';
      if (relation !== 'none') tell(relation === 'equal' ? 'boundary-reused' : 'boundary-overlap', at);
    }
  }

  /** The frame whose delimiter this line is, innermost first; a closed multipart has none. */
  function findDelimiter(line: Line): { index: number; isClose: boolean } | undefined {
    let problem: MimeProblemCode | undefined;
    let odd: { index: number; isClose: boolean } | undefined;
    for (let index = stack.length - 1; index >= 0; index--) {
      const { boundary, isClosed } = stack[index]!;
      const match = boundary ? matchBoundary(line.head, boundary) : 'none';
      if (match === 'none') continue;
      if (match === 'like') problem ??= 'boundary-like-line';
      else if (isClosed) problem ??= 'boundary-after-close';
      else if (match === 'open' || match === 'close') return { index, isClose: match === 'close' };
      else odd ??= { index, isClose: match === 'odd-close' };
    }
    if (odd) problem = 'boundary-like-line';
    if (problem) tell(problem, line.start);
    return odd;
  }

  /** Ends everything inside the frame: `end` is where the line break before the delimiter starts. */
  function unwind(index: number, end: number): void {
    if (leaf) {
      leaf.body.end = Math.max(leaf.body.start, end);
      watcher?.closed(leaf, index < 0);
    }
    leaf = undefined;
    while (stack.length - 1 > index) {
      const frame = stack.pop()!;
      close(frame, end);
      watcher?.closed(frame.part, index < 0);
    }
  }

  function close(frame: Frame, end: number): void {
    frame.part.body.end = Math.max(frame.part.body.start, end);
    if (!frame.boundary || frame.isClosed) return;
    tell(!frame.hasChildren ? 'boundary-not-found' : 'missing-close-boundary', frame.part.header.start);
  }

  function onDelimiter(line: Line, index: number, isClose: boolean): void {
    if (headerStart >= 0) {
      header.cut();
      tell('missing-header-end', headerStart);
      while (headerStart >= 0) finishHeader(line.start);
    }
    unwind(index, line.start - previousBreak);
    const { part } = stack[index]!;
    addLine(part.bytes, line);
    if (previousBreak === 1) part.bytes.isBinary = true;
    if (line.breakLength === 1) part.bytes.isBinary = true;
    if (isClose) stack[index]!.isClosed = true;
    else headerStart = line.start + line.length + line.breakLength;
    previousBreak = 0;
  }

  const splitter = createLineSplitter({
    bytes(chunk, from, to) {
      if (headerStart >= 0) header.add(chunk, from, to);
    },
    line(line) {
      const found = line.head.length > 0 && partCount < partsAtMost ? findDelimiter(line) : undefined;
      if (found) return onDelimiter(line, found.index, found.isClose);
      if (headerStart >= 0) {
        const end = line.start + line.length + line.breakLength;
        if (line.length === 0 || header.isFull()) finishHeader(end);
        else {
          header.mark();
          previousBreak = line.breakLength;
        }
        return;
      }
      const bytes = region();
      if (bytes) {
        addLine(bytes, line);
        if (previousBreak === 1) bytes.isBinary = true;
      }
      previousBreak = line.breakLength;
    },
  });

  return {
    push: splitter.push,
    end() {
      const size = splitter.end();
      // RFC 5322 3.5: a message may be a header alone; so may a message part.
      while (headerStart >= 0) finishHeader(size);
      const bytes = region();
      if (bytes && previousBreak === 1) bytes.isBinary = true;
      unwind(-1, size);
      return { root: root as MimePart, sizeBytes: size, partCount, problems };
    },
  };
}

function addLine(bytes: Facts, line: Line): void {
  if (line.mask > 127) bytes.has8bit = true;
  if (line.isBinary) bytes.isBinary = true;
  if (line.length > bytes.longestLine) bytes.longestLine = line.length;
}

/** The current header, whole; bounded. */
function createHeaderBuffer() {
  let bytes = Buffer.alloc(4096);
  let length = 0;
  /** Where the current line started. */
  let lineStart = 0;
  return {
    add(chunk: Uint8Array, from: number, to: number): void {
      const count = Math.min(to - from, MIME_LIMITS.headerBytes + 1 - length);
      if (count <= 0) return;
      if (length + count > bytes.length) bytes = Buffer.concat([bytes], Math.max(bytes.length * 2, length + count));
      bytes.set(chunk.subarray(from, from + count), length);
      length += count;
    },
    mark(): void {
      lineStart = length;
    },
    /** Removes the current line. */
    cut(): void {
      length = lineStart;
    },
    isFull: (): boolean => length > MIME_LIMITS.headerBytes,
    take(): Uint8Array {
      const whole = bytes.subarray(0, length);
      length = 0;
      lineStart = 0;
      return whole;
    },
  };
}
