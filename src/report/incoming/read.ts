/**
 * Finds the reports in a message and reads them: aggregate (RFC 9990), failure (RFC 9991) and TLS (RFC 8460). The
 * bytes decide the type of a part, as media types and names in practice are unreliable.
 *
 * Runs in a thread of its own, since a hostile report may take long; it needs nothing but the bytes.
 */
import { createHash } from 'node:crypto';
import { parseFailure } from '../../protocol/arf/parse.ts';
import { readAggregate } from '../../protocol/dmarc-report/read-aggregate.ts';
import { decodeBase64 } from '../../protocol/mime/base64.ts';
import { decodeQuotedPrintable } from '../../protocol/mime/quoted-printable.ts';
import { parseTree } from '../../protocol/mime/tree.ts';
import type { MimePart } from '../../protocol/mime/types.ts';
import { readTlsReport } from '../../protocol/tlsrpt/read.ts';
import {
  INCOMING_SOURCES,
  JSON_BYTES,
  JSON_DEPTH,
  JSON_VALUES,
  PROBLEM_CHARACTERS,
  REPORT_PARTS,
  UNPACKED_BYTES,
} from '../limits.ts';
import { aggregateReport, failureReport, tlsReport } from './normalise.ts';
import type { ReadMessage, ReadReport } from './types.ts';
import { packingOf, unpack } from './unpack.ts';

export async function readMessage(message: Uint8Array): Promise<ReadMessage> {
  const reports: ReadReport[] = [];
  const problems: string[] = [];
  const budget = { left: UNPACKED_BYTES as number };
  for (const part of leaves(parseTree(message).root).slice(0, REPORT_PARTS)) {
    const bytes = decoded(message, part);
    try {
      const report = await readPart(part, bytes, budget);
      if (report) reports.push({ ...report, sources: report.sources.slice(0, INCOMING_SOURCES) });
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  if (reports.length > 0) return { ok: true, reports };
  const problem = problems.join('; ') || 'no part of it is a report';
  return { ok: false, problem: problem.slice(0, PROBLEM_CHARACTERS) };
}

function leaves(part: MimePart): readonly MimePart[] {
  return part.kind === 'leaf' ? [part] : part.children.flatMap(leaves);
}

function decoded(message: Uint8Array, { body, encoding }: MimePart): Uint8Array {
  const raw = message.subarray(body.start, body.end);
  if (encoding === 'base64') return decodeBase64(raw).bytes;
  return encoding === 'quoted-printable' ? decodeQuotedPrintable(raw).bytes : raw;
}

/** Undefined: no report, and not declared as one. */
async function readPart(part: MimePart, bytes: Uint8Array, budget: { left: number }): Promise<ReadReport | undefined> {
  const type = part.type.value;
  if (type === 'message/feedback-report') {
    const parsed = parseFailure(bytes);
    if (!parsed) throw new Error('the feedback report names no type of feedback');
    return failureReport(parsed, digest(bytes));
  }
  if (!claimsToBeReport(part, bytes)) return undefined;
  // One bound for the whole message: twenty parts of the largest size are twenty reports.
  const inner = await unpack(bytes, budget.left);
  budget.left -= inner.length;
  if (firstCharacter(inner) === '{') {
    boundJson(inner);
    const read = readTlsReport(inner);
    if (!read.ok) throw new Error(read.problem);
    return tlsReport(read.report);
  }
  const read = readAggregate(inner);
  if (!read.ok) throw new Error(read.problem);
  return aggregateReport(read.report, read.unread);
}

const TYPES = /^application\/(?:gzip|x-gzip|zip|x-zip|x-zip-compressed|tlsrpt\+.*|xml|json)$|^text\/xml$/;

function claimsToBeReport({ type, filename = '' }: MimePart, bytes: Uint8Array): boolean {
  if (packingOf(bytes) !== 'none' || TYPES.test(type.value)) return true;
  return /\.(?:xml|json)(?:\.gz)?$|\.(?:zip|gz)$/i.test(filename);
}

/** Checked before it is parsed: every value becomes an object, however small it is when packed. */
function boundJson(bytes: Uint8Array): void {
  if (bytes.length > JSON_BYTES) throw new Error(`the TLS report has more than ${JSON_BYTES} bytes`);
  let depth = 0;
  let values = 0;
  let isText = false;
  for (let i = 0; i < bytes.length; i++) {
    const octet = bytes[i]!;
    if (isText && octet === 0x5c) i++;
    else if (octet === 0x22) isText = !isText;
    else if (isText) continue;
    else if (octet === 0x7b || octet === 0x5b) depth++;
    else if (octet === 0x7d || octet === 0x5d) depth--;
    else if (octet === 0x2c) values++;
    if (depth > JSON_DEPTH || values > JSON_VALUES) throw new Error('the TLS report has more values than are read');
  }
}

function firstCharacter(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 100)).toString('utf8');
  return start
    .replace(/^\ufeff/, '')
    .trimStart()
    .charAt(0);
}

/** A failure report has no id of its own. */
function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
}
