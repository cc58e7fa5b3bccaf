/**
 * Our own reports for a host that cannot take them as they are: with the header of the original in its place, else
 * without it. A failed report is not reported, so its delivery matters more than the returned content.
 */
import type { Reply } from '../model/reply.ts';
import { reduceReport, reducible } from '../protocol/dsn/reduce.ts';
import type { Claim } from '../queue/contract.ts';
import { RETURNED_HEADER_BYTES } from '../queue/limits.ts';
import { memoryContent } from '../store/blobs/memory-content.ts';
import type { TransactionResult } from '../wire/client/types.ts';
import { rangeOf, treeOf } from './reading.ts';

/** The part of the original that is still returned, the most first. */
export const LESS: readonly ('header' | 'nothing')[] = ['header', 'nothing'];

/** Messages of others must not be shortened. */
export function mayBeReduced({ message }: Claim): boolean {
  return message.reversePath === null && message.clientAddress === undefined && message.author?.[0] === '@';
}

/** For a host that announces no limit, or has a smaller one for this mailbox: its reply shows it. */
export function isReportTooLarge(claim: Claim, verdicts: readonly TransactionResult[]): boolean {
  return mayBeReduced(claim) && verdicts.every(({ outcome, reply }) => outcome === 'failed' && isTooLarge(reply));
}

/** RFC 3463 3.3, 3.4: for the mailbox, for the system. RFC 1870 6.1: 552, which may also mean a full mailbox. */
function isTooLarge({ code, enhanced }: Reply): boolean {
  return enhanced === undefined ? code === 552 : enhanced === '5.2.3' || enhanced === '5.3.4';
}

/** Undefined: it is no report, or carries no original. Errors: those of its content. */
export async function reduced(claim: Claim, left: (typeof LESS)[number]): Promise<Claim | undefined> {
  const { content } = claim;
  const report = reducible(await treeOf(content, claim.message.id));
  if (!report) return undefined;
  const { start, end } = report.original;
  const range = { start, end: Math.min(end, start + RETURNED_HEADER_BYTES) };
  const original = left === 'header' ? await rangeOf(content, range) : undefined;
  // Small except for the number of its recipients.
  return { ...claim, content: memoryContent(reduceReport(report, await rangeOf(content, report.head), original)) };
}
