/**
 * Reads the status part of an incoming report (RFC 3464 2, RFC 6533 4).
 *
 * Takes the decoded body of message/delivery-status or message/global-delivery-status: groups of fields, the
 * message's first, then one a recipient. Tolerant of unknown fields and of order; `undefined` if no recipient group
 * has an action or a status: then it is no report.
 */
import { scanFields } from '../mime/fields.ts';
import { MIME_LIMITS } from '../mime/limits.ts';
import { fieldValue, readable } from '../mime/text.ts';
import type { OriginalRecipient } from '../smtp/types.ts';
import type { DsnAction, ParsedDsn } from './types.ts';

type Group = ReadonlyMap<string, string>;

const ACTIONS: readonly string[] = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'];

export function parseDsn(deliveryStatus: Uint8Array): ParsedDsn | undefined {
  const [message, ...others] = readGroups(deliveryStatus);
  if (!message) return undefined;
  const recipients = others.filter((group) => group.has('action') || group.has('status')).map(toRecipient);
  if (recipients.length === 0) return undefined;
  const arrivedAt = Date.parse(message.get('arrival-date') ?? '');
  return {
    reportingMta: typed(message.get('reporting-mta'))?.text,
    envid: message.get('original-envelope-id'),
    arrivedAt: Number.isNaN(arrivedAt) ? undefined : arrivedAt,
    recipients,
  };
}

/** Fields of a group by name, the first of each; empty lines separate groups. */
function readGroups(bytes: Uint8Array): Group[] {
  const groups: Group[] = [];
  let position = 0;
  let fieldCount = 0;
  while (position < bytes.length && fieldCount < MIME_LIMITS.reportFields) {
    const scanned = scanFields(bytes, position);
    const group = new Map<string, string>();
    for (const field of scanned.fields) {
      fieldCount++;
      if (!group.has(field.name)) group.set(field.name, readable(fieldValue(bytes, field)));
    }
    if (group.size > 0) groups.push(group);
    if (scanned.problem || scanned.end === position) break;
    position = scanned.end;
  }
  return groups;
}

function toRecipient(group: Group): ParsedDsn['recipients'][number] {
  const action = withoutComments(group.get('action') ?? '').toLowerCase();
  return {
    action: ACTIONS.includes(action) ? (action as DsnAction) : 'unknown',
    finalRecipient: typed(group.get('final-recipient'))?.text,
    originalRecipient: original(typed(group.get('original-recipient'))),
    status: /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(group.get('status') ?? '')?.[0],
    remoteMta: typed(group.get('remote-mta'))?.text,
    diagnostic: typed(group.get('diagnostic-code')),
  };
}

/** `type; text`, RFC 3464 2.1.2. */
function typed(value: string | undefined): { type: string; text: string } | undefined {
  const semicolon = value?.indexOf(';') ?? -1;
  if (value === undefined || semicolon < 0) return undefined;
  return { type: value.slice(0, semicolon).trim().toLowerCase(), text: value.slice(semicolon + 1).trim() };
}

function original(value: { type: string; text: string } | undefined): OriginalRecipient | undefined {
  return value && { type: value.type, address: value.text };
}

/** RFC 3464 2.1.1 allows comments in most fields. */
function withoutComments(value: string): string {
  return value.replaceAll(/\([^()]*\)/g, '').trim();
}
