/**
 * Replies (RFC 5321 4.2): Reply to wire, and the wire to Reply, in any chunks.
 *
 * The reader is bounded in line length and line count, takes bare LF as a line end (a reply carries nothing that
 * could be smuggled) and stops for good at the first line that is not a reply.
 */
import { isUtf8 } from 'node:buffer';
import { cleanLine } from '../text/unsafe.ts';
import { REPLY_LINE_BYTES, REPLY_LINES } from './limits.ts';
import type { Reply } from './types.ts';

export function formatReply(reply: Reply): string {
  const { code, text } = reply;
  const prefix = reply.enhanced === undefined ? '' : `${reply.enhanced} `;
  if (typeof text === 'string') return `${code} ${prefix}${cleanLine(text, '?')}\r\n`;
  const last = text.length - 1;
  let formatted = '';
  for (let i = 0; i < last; i++) formatted += `${code}-${prefix}${cleanLine(text[i]!, '?')}\r\n`;
  return `${formatted}${code} ${prefix}${cleanLine(text[last] ?? '', '?')}\r\n`;
}

export interface ReplyParser {
  /**
   * Reads the first `length` bytes, which may be overwritten afterwards, and calls `received` with each complete
   * reply. Returns why the rest is no SMTP, and then always the same.
   */
  push(input: Buffer, length: number, received: (reply: Reply) => void): string | undefined;
}

export function createReplyParser(): ReplyParser {
  /** A line that has no end yet. */
  let begun: Buffer | undefined;
  let code = 0;
  let lines: string[] = [];
  let problem: string | undefined;

  const takeLine = (input: Buffer, from: number, to: number, received: (reply: Reply) => void): string | undefined => {
    const lineCode = codeAt(input, from);
    const mark = to === from + 3 ? SPACE : input[from + 3];
    if (lineCode === 0 || to < from + 3 || (mark !== SPACE && mark !== HYPHEN)) return 'a line is not a reply';
    if (lines.length > 0 && lineCode !== code) return 'the lines of one reply have different codes';
    if (lines.length >= REPLY_LINES) return 'a reply has too many lines';
    const text = textOf(input, Math.min(from + 4, to), to);
    if (mark === SPACE && lines.length === 0) {
      received(shortReply(lineCode, text));
      return undefined;
    }
    code = lineCode;
    lines.push(text);
    if (mark === HYPHEN) return undefined;
    const all = lines;
    lines = [];
    received(longReply(code, all));
    return undefined;
  };

  return {
    push(input, length, received) {
      if (problem !== undefined) return problem;
      let bytes = input;
      let size = length;
      if (begun !== undefined) {
        bytes = Buffer.concat([begun, input.subarray(0, length)]);
        size = bytes.length;
      }
      let from = 0;
      for (;;) {
        const end = lineFeed(bytes, from, size);
        if (end - from > REPLY_LINE_BYTES) problem = 'a reply line is too long';
        if (end === size || problem !== undefined) break;
        problem = takeLine(bytes, from, end > from && bytes[end - 1] === CR ? end - 1 : end, received);
        from = end + 1;
      }
      begun = from === size ? undefined : Buffer.from(bytes.subarray(from, size));
      return problem;
    },
  };
}

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const HYPHEN = 0x2d;
const DOT = 0x2e;
const DELETE = 0x7f;

/** Lines are a few words long, so a loop is faster than a system function. */
function lineFeed(input: Buffer, from: number, size: number): number {
  let at = from;
  while (at < size && input[at] !== LF) at++;
  return at;
}

/** 0: it does not begin with a code from 200 to 599. */
function codeAt(input: Buffer, at: number): number {
  const [first, second, third] = [digit(input[at]), digit(input[at + 1]), digit(input[at + 2])];
  return first >= 2 && first <= 5 && second >= 0 && third >= 0 ? first * 100 + second * 10 + third : 0;
}

/** -1: no digit. */
function digit(octet: number | undefined): number {
  return octet !== undefined && octet >= 0x30 && octet <= 0x39 ? octet - 0x30 : -1;
}

/** In a form that may be logged. */
function textOf(input: Buffer, from: number, to: number): string {
  for (let i = from; i < to; i++) {
    const octet = input[i]!;
    if ((octet < SPACE && octet !== TAB) || octet >= DELETE) return printable(input.subarray(from, to));
  }
  return input.toString('latin1', from, to);
}

/** UTF-8 where valid, controls made visible as "?". */
function printable(line: Buffer): string {
  const text = isUtf8(line) ? line.toString('utf8') : line.toString('latin1').replace(/[^\x00-\x7f]/g, '?');
  return text
    .split('\t')
    .map((piece) => cleanLine(piece, '?'))
    .join('\t');
}

function shortReply(code: number, line: string): Reply {
  const length = statusLength(line);
  // RFC 2034 4: the class equals the first digit of the code.
  if (length === 0 || digit(line.charCodeAt(0)) !== Math.floor(code / 100)) return { code, text: line };
  return { code, enhanced: line.slice(0, length), text: line.slice(length + 1) };
}

function longReply(code: number, lines: readonly string[]): Reply {
  const { enhanced } = shortReply(code, lines[0]!);
  if (enhanced === undefined) return { code, text: lines };
  return { code, enhanced, text: lines.map(withoutStatus) };
}

function withoutStatus(line: string): string {
  const length = statusLength(line);
  return length === 0 ? line : line.slice(length + 1);
}

/** The length of the status `class.subject.detail` at the start of a line; 0: there is none. */
function statusLength(line: string): number {
  const first = digit(line.charCodeAt(0));
  if ((first !== 2 && first !== 4 && first !== 5) || line.charCodeAt(1) !== DOT) return 0;
  const subjectEnd = digitsEnd(line, 2);
  if (subjectEnd === 2 || line.charCodeAt(subjectEnd) !== DOT) return 0;
  const end = digitsEnd(line, subjectEnd + 1);
  if (end === subjectEnd + 1) return 0;
  return end === line.length || line.charCodeAt(end) === SPACE ? end : 0;
}

/** The position after up to three digits. */
function digitsEnd(line: string, from: number): number {
  let at = from;
  while (at < from + 3 && digit(line.charCodeAt(at)) >= 0) at++;
  return at;
}
