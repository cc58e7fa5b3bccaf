/**
 * Reads the part for programs of a failure report (message/feedback-report, RFC 5965 3): one group of header fields.
 * Undefined if it names no type of feedback: then it is no report.
 */
import { scanFields } from '../mime/fields.ts';
import { fieldValue, readable } from '../mime/text.ts';
import type { ParsedFailure } from './types.ts';

/** Characters kept of one field. */
const VALUE_CHARACTERS = 1000;
/** Sums of many counts must stay far below 64 bits. */
const MOST_INCIDENTS = 1e9;

export function parseFailure(feedback: Uint8Array): ParsedFailure | undefined {
  const fields = new Map<string, string>();
  for (const field of scanFields(feedback).fields) {
    // If a field that is allowed once is repeated, the first counts (RFC 5965 3.1, 3.2).
    if (!fields.has(field.name))
      fields.set(field.name, readable(fieldValue(feedback, field).slice(0, VALUE_CHARACTERS)));
  }
  const feedbackType = fields.get('feedback-type')?.toLowerCase();
  if (!feedbackType) return undefined;
  const arrivedAt = Date.parse(fields.get('arrival-date') ?? fields.get('received-date') ?? '');
  const incidents = Number(fields.get('incidents') ?? '1');
  return {
    feedbackType,
    authFailure: fields.get('auth-failure')?.toLowerCase(),
    reportedDomain: fields.get('reported-domain')?.toLowerCase(),
    sourceIp: fields.get('source-ip'),
    mailFrom: fields.get('original-mail-from')?.replace(/^<|>$/g, ''),
    deliveryResult: fields.get('delivery-result')?.toLowerCase(),
    alignment: fields.get('identity-alignment')?.toLowerCase(),
    arrivedAt: Number.isNaN(arrivedAt) ? undefined : arrivedAt,
    incidents: Number.isInteger(incidents) && incidents > 0 && incidents < MOST_INCIDENTS ? incidents : 1,
  };
}
