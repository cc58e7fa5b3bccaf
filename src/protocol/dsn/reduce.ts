/**
 * A report with less of the original in it, for a server that cannot take all: its header as ASCII, or nothing of it.
 * RFC 3461 4.3 lets us choose how much to return; the rest stays as composeDsn wrote it.
 *
 * Pure, and never needs the original's body: the caller reads the two ranges that are asked for.
 */
import type { MimeTree, Span } from '../mime/types.ts';
import { isAscii } from './field-text.ts';
import { CLOSINGS } from './human-text.ts';
import { asciiHeadersPart } from './returned-part.ts';

/** The positions of the parts of a report. */
export interface Reducible {
  readonly boundary: string;
  /** Everything before the part with the original. */
  readonly head: Span;
  /** The text for people. */
  readonly text: Span;
  /** The original, or its header. */
  readonly original: Span;
}

const ORIGINAL = /^(message\/(rfc822|global)|text\/rfc822-headers|message\/global-headers)$/;

/** Undefined: it is no report of ours, or one without an original. */
export function reducible({ root }: MimeTree): Reducible | undefined {
  const { type, children } = root;
  const boundary = type.parameters.get('boundary');
  const [text, , original] = children;
  if (type.value !== 'multipart/report' || type.parameters.get('report-type') !== 'delivery-status') return undefined;
  if (boundary === undefined || !text || !original || !ORIGINAL.test(original.type.value)) return undefined;
  return { boundary, head: { start: 0, end: original.header.start }, text: text.body, original: original.body };
}

/** `head`: the bytes of that span; `original`: the first bytes of its span, undefined to leave it out. */
export function reduceReport({ boundary, text }: Reducible, head: Uint8Array, original?: Uint8Array): Uint8Array {
  const octets = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  const read = withClosing(octets.slice(text.start, text.end), CLOSINGS[original ? 'headers' : 'none']);
  const start = octets.slice(0, text.start) + read + octets.slice(text.end);
  const delimiter = `--${boundary}`;
  const reduced = original
    ? `${start}${asciiHeadersPart(headerOf(original))}\r\n${delimiter}--\r\n`
    : `${start.slice(0, start.lastIndexOf(delimiter))}${delimiter}--\r\n`;
  return Buffer.from(isAscii(reduced) ? withoutLabel(reduced) : reduced, 'latin1');
}

/** Removes the label of 8-bit content that is no longer there. */
function withoutLabel(report: string): string {
  const end = report.indexOf('\r\n\r\n');
  return report.slice(0, end).replace('\r\nContent-Transfer-Encoding: 8bit', '') + report.slice(end);
}

/** Replaces the last line that is a closing; quotations with the same text come before it. */
function withClosing(text: string, closing: string): string {
  const [at, said] = Object.values(CLOSINGS)
    .map((words) => [text.lastIndexOf(words), words] as const)
    .reduce((last, one) => (one[0] > last[0] ? one : last));
  return at < 0 ? text : text.slice(0, at) + closing + text.slice(at + said.length);
}

/** Without the empty line; if it was cut, only the whole lines. */
function headerOf(original: Uint8Array): Uint8Array {
  const octets = Buffer.from(original.buffer, original.byteOffset, original.length);
  const end = octets.indexOf('\r\n\r\n');
  const last = end < 0 ? octets.lastIndexOf('\r\n') : end;
  return last < 0 ? octets : octets.subarray(0, last + 2);
}
