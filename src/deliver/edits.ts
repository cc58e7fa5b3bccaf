/**
 * Header edits over a message that is never rewritten: the message as segments, with the fields that
 * are removed or replaced cut out, and what goes above all of it.
 *
 * Occurrences count in the header as it is stored, whatever other edits do. An edit of a field that is
 * not there does nothing.
 */
import type { HeaderEdit } from '../model/content.ts';
import { scanFields } from '../protocol/mime/fields.ts';
import type { Segment } from '../protocol/mime/words.ts';

/** `trace` first in time, so it stands below what is prepended; a later prepend goes above an earlier one. */
export function linesAbove(trace: string, edits: readonly HeaderEdit[]): string {
  let above = trace;
  for (const edit of edits) if (edit.kind === 'prepend') above = edit.raw + above;
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
  let edited = segments;
  for (const edit of edits) {
    if (edit.kind === 'prepend') continue;
    const name = edit.name.toLowerCase();
    const field = fields.filter((each) => each.name === name)[edit.occurrence];
    if (!field) continue;
    edited = cut(edited, field.start, field.end, edit.kind === 'replace' ? Buffer.from(edit.raw) : undefined);
  }
  return edited;
}

/** Takes `[start, end)` of the original out, wherever segments still have it, and puts `instead` in its place. */
function cut(
  segments: readonly Segment[],
  start: number,
  end: number,
  instead: Uint8Array | undefined,
): readonly Segment[] {
  const out: Segment[] = [];
  let isPlaced = instead === undefined;
  for (const segment of segments) {
    if (segment.kind !== 'original' || segment.end <= start || segment.start >= end) {
      out.push(segment);
      continue;
    }
    if (segment.start < start) out.push({ kind: 'original', start: segment.start, end: start });
    if (!isPlaced) out.push({ kind: 'bytes', bytes: instead! });
    isPlaced = true;
    if (segment.end > end) out.push({ kind: 'original', start: end, end: segment.end });
  }
  return out;
}
