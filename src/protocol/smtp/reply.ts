/**
 * Replies (RFC 5321 4.2): Reply to wire, and the wire to Reply, in any chunks.
 *
 * The reader is bounded in line length and line count, takes bare LF as a line end (a reply carries
 * nothing that could be smuggled) and gives up for good at the first thing that is no reply.
 */
import { isUtf8 } from 'node:buffer';
import { REPLY_LINE_BYTES, REPLY_LINES } from './limits.ts';
import type { Reply } from './words.ts';

export function formatReply(reply: Reply): string {
  const { code, text } = reply;
  const prefix = reply.enhanced === undefined ? '' : `${reply.enhanced} `;
  if (typeof text === 'string') return `${code} ${prefix}${text}\r\n`;
  const last = text.length - 1;
  let formatted = '';
  for (let i = 0; i < last; i++) formatted += `${code}-${prefix}${text[i]}\r\n`;
  return `${formatted}${code} ${prefix}${text[last] ?? ''}\r\n`;
}

export interface ReplyParser {
  /** Replies that are whole by now, in order; `problem` says that what follows is no SMTP, for good. */
  push(chunk: Buffer): { readonly replies: readonly Reply[]; readonly problem?: string };
}

/** RFC 2034 4: the class equals the first digit of the code. */
const ENHANCED = /^([245])\.(\d{1,3})\.(\d{1,3})(?: |$)/;

export function createReplyParser(): ReplyParser {
  let pending: Buffer = Buffer.alloc(0);
  let code = 0;
  let lines: string[] = [];
  let failed: string | undefined;

  const takeLine = (line: string, replies: Reply[]): string | undefined => {
    const lineCode = Number(line.slice(0, 3));
    const mark = line.charCodeAt(3);
    const isReply = /^[2-5]\d\d(?:[ -]|$)/.test(line);
    if (!isReply) return 'a line is not a reply';
    if (lines.length > 0 && lineCode !== code) return 'the lines of one reply have different codes';
    if (lines.length >= REPLY_LINES) return 'a reply has too many lines';
    code = lineCode;
    lines.push(line.slice(4));
    if (mark !== 0x2d) {
      replies.push(toReply(code, lines));
      lines = [];
    }
    return undefined;
  };

  return {
    push(chunk) {
      const replies: Reply[] = [];
      if (failed !== undefined) return { replies, problem: failed };
      let rest: Buffer = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (;;) {
        const end = rest.indexOf(0x0a);
        if (end > REPLY_LINE_BYTES || (end < 0 && rest.length > REPLY_LINE_BYTES)) failed = 'a reply line is too long';
        if (end < 0 || failed !== undefined) break;
        const lineEnd = end > 0 && rest[end - 1] === 0x0d ? end - 1 : end;
        failed = takeLine(printable(rest.subarray(0, lineEnd)), replies);
        rest = rest.subarray(end + 1);
      }
      pending = rest;
      return failed === undefined ? { replies } : { replies, problem: failed };
    },
  };
}

/** Text as it may be logged: UTF-8 where valid, controls made visible as "?". */
function printable(line: Buffer): string {
  const text = isUtf8(line) ? line.toString('utf8') : line.toString('latin1').replace(/[^\x00-\x7f]/g, '?');
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f\x80-\x9f]/g, '?');
}

function toReply(code: number, lines: readonly string[]): Reply {
  const enhanced = ENHANCED.exec(lines[0]!);
  if (!enhanced || Number(enhanced[1]) !== Math.floor(code / 100)) return { code, text: unwrap(lines) };
  const status = `${enhanced[1]}.${enhanced[2]}.${enhanced[3]}`;
  const text = lines.map((line) => (ENHANCED.test(line) ? line.replace(ENHANCED, '') : line));
  return { code, enhanced: status, text: unwrap(text) };
}

function unwrap(lines: readonly string[]): string | readonly string[] {
  return lines.length === 1 ? lines[0]! : lines;
}
