/**
 * Header edits of a message whose stored content never changes: the message as segments, without the fields that are
 * removed or replaced, and the lines above it.
 *
 * Occurrences count in the header as it is stored, whatever other edits do. An edit of a missing field does nothing,
 * and no written text contains a CR, LF or NUL alone.
 */
import type { HeaderEdit } from '../model/content.ts';
import { scanFields } from '../protocol/mime/fields.ts';
import type { HeaderField, Segment } from '../protocol/mime/types.ts';
import { wholeField, wholeLines } from '../protocol/text/unsafe.ts';

/** `trace` is the oldest, so it is below the prepended lines; a later prepend goes above an earlier one. */
export function linesAbove(trace: string, edits: readonly HeaderEdit[]): string {
  let above = trace;
  for (const edit of edits) if (edit.kind === 'prepend') above = wholeLines(edit.raw) + above;
  return above;
}

export function changesFields(edits: readonly HeaderEdit[]): boolean {
  return edits.some(({ kind }) => kind !== 'prepend');
}

/** `header`: the first bytes of the message, at least to the empty line. */
export function withEdits(
  segments: readonly Segment[],
  header: Uint8Array,
  edits: readonly HeaderEdit[],
): readonly Segment[] {
  const { fields } = scanFields(header);
  const byName = new Map<string, HeaderField[]>();
  for (const field of fields) {
    const same = byName.get(field.name);
    if (same) same.push(field);
    else byName.set(field.name, [field]);
  }
  const cuts = new Map<number, Cut>();
  for (const edit of edits) {
    if (edit.kind === 'prepend') continue;
    const field = byName.get(edit.name.toLowerCase())?.[edit.occurrence];
    // Of two edits of one field the first counts.
    if (!field || cuts.has(field.start)) continue;
    const instead = edit.kind === 'replace' ? Buffer.from(wholeField(edit.raw)) : undefined;
    cuts.set(field.start, { start: field.start, end: field.end, instead });
  }
  if (cuts.size === 0) return segments;
  return cut(
    segments,
    [...cuts.values()].sort((a, b) => a.start - b.start),
  );
}

/** `[start, end)` of the original is removed, and `instead` put in its place. */
interface Cut {
  readonly start: number;
  readonly end: number;
  readonly instead: Uint8Array | undefined;
}

/**
 * Applies the cuts to all segments. Segments and cuts are in ascending order, so both are walked once: a message of
 * an attacker may have thousands of parts and thousands of fields to remove.
 */
function cut(segments: readonly Segment[], cuts: readonly Cut[]): readonly Segment[] {
  const out: Segment[] = [];
  let next = 0;
  /** The current cut was removed from an earlier segment up to here. */
  let placed = -1;
  for (const segment of segments) {
    if (segment.kind !== 'original') {
      out.push(segment);
      continue;
    }
    let at = segment.start;
    while (next < cuts.length && cuts[next]!.end <= at) next++;
    for (let i = next; i < cuts.length && cuts[i]!.start < segment.end; i++) {
      const { start, end, instead } = cuts[i]!;
      if (start > at) out.push({ kind: 'original', start: at, end: start });
      if (instead && placed < start) out.push({ kind: 'bytes', bytes: instead });
      placed = start;
      at = Math.max(at, end);
      if (end <= segment.end) next = i + 1;
    }
    if (at < segment.end) out.push({ kind: 'original', start: at, end: segment.end });
  }
  return out;
}
