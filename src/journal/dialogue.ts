/**
 * The dialogue at the end of a detail's JSON line. It is a text of many joined parts, and the longest
 * member, so it comes last: readers without use for it cut it off. A long one is cut in the middle.
 */
import { DIALOGUE_BYTES } from './limits.ts';

/** `open`: JSON of an object but for its end. */
export function withDialogue(open: string, dialogue: string | undefined): string {
  return dialogue === undefined ? `${open}}` : `${open},"dialogue":${JSON.stringify(boundedDialogue(dialogue))}}`;
}

/** Beginning and end tell most; the middle of a very long dialogue repeats itself. */
export function boundedDialogue(dialogue: string, most: number = DIALOGUE_BYTES): string {
  if (dialogue.length <= most) return dialogue;
  const half = most / 2;
  const left = dialogue.length - most;
  return `${dialogue.slice(0, half)}\n[${left} characters left out]\n${dialogue.slice(-half)}`;
}
