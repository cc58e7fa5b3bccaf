/**
 * Header edits over a message that is never rewritten: the message as segments, with the fields that
 * are removed or replaced cut out, and what goes above all of it.
 *
 * Occurrences count in the header as it is stored, whatever other edits do. An edit of a field that is
 * not there does nothing, and no CR, LF or NUL stands alone in what it writes.
 */
import type { HeaderEdit } from '../model/content.ts';
import { scanFields } from '../protocol/mime/fields.ts';
import type { HeaderField, Segment } from '../protocol/mime/types.ts';
import { wholeField, wholeLines } from '../protocol/text/unsafe.ts';

/** `trace` first in time, so it stands below what is prepended; a later prepend goes above an earlier one. */
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

/** `[start, end)` of the original is taken out, and `instead` put in its place. */
interface Cut {
  readonly start: number;
  readonly end: number;
  readonly instead: Uint8Array | undefined;
}

/**
 * Wherever segments still have it. Segments and cuts are in ascending order, so both are walked once: a
 * stranger may have thousands of fields removed from a message of thousands of parts.
 */
function cut(segments: readonly Segment[], cuts: readonly Cut[]): readonly Segment[] {
  const out: Segment[] = [];
  let next = 0;
  /** Up to here the cut under way was taken out of an earlier segment. */
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
