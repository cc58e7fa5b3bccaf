/**
 * Finds the reports in a message and reads them: aggregate (RFC 9990), failure (RFC 9991) and TLS
 * (RFC 8460). What a part is, its octets tell, as media types and names in the field are of all kinds.
 *
 * Runs in a thread of its own, since a hostile report may take long; it needs nothing but the octets.
 */
import { createHash } from 'node:crypto';
import { parseFailure } from '../../protocol/arf/parse.ts';
import { readAggregate } from '../../protocol/dmarc-report/read-aggregate.ts';
import { decodeBase64 } from '../../protocol/mime/base64.ts';
import { decodeQuotedPrintable } from '../../protocol/mime/quoted-printable.ts';
import { parseTree } from '../../protocol/mime/tree.ts';
import type { MimePart } from '../../protocol/mime/words.ts';
import { readTlsReport } from '../../protocol/tlsrpt/read.ts';
import { INCOMING_SOURCES, PROBLEM_CHARACTERS, REPORT_PARTS } from '../limits.ts';
import { aggregateReport, failureReport, tlsReport } from './normalise.ts';
import { packingOf, unpack } from './unpack.ts';
import type { ReadMessage, ReadReport } from './words.ts';

export async function readMessage(message: Uint8Array): Promise<ReadMessage> {
  const reports: ReadReport[] = [];
  const problems: string[] = [];
  for (const part of leaves(parseTree(message).root).slice(0, REPORT_PARTS)) {
    const bytes = decoded(message, part);
    try {
      const report = await readPart(part, bytes);
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

/** Undefined: no report, and no claim to be one. */
async function readPart(part: MimePart, bytes: Uint8Array): Promise<ReadReport | undefined> {
  const type = part.type.value;
  if (type === 'message/feedback-report') {
    const parsed = parseFailure(bytes);
    if (!parsed) throw new Error('the feedback report names no type of feedback');
    return failureReport(parsed, digest(bytes));
  }
  if (!claimsToBeReport(part, bytes)) return undefined;
  const inner = await unpack(bytes);
  if (firstCharacter(inner) === '{') {
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
