/** The end of most messages: delivered to all their recipients at the first try, with nobody to tell. */
import type { RecipientRow as LoggedRecipient } from '../../journal/contract.ts';
import type { AdmissionParts } from '../accept/admission.ts';
import type { AttemptResult } from '../contract.ts';
import type { ActiveClaim } from '../dispatch/active-claims.ts';
import { wants } from '../dsn/notices.ts';
import { attemptRecord } from '../journal/records.ts';
import { recipients as moves } from '../model/transitions.ts';
import { boundedDetail } from '../settle/settlement.ts';

/** Undefined: it ends otherwise, or is not on the inline way. Errors: `store.full`, `store.unavailable`. */
export function endInline(
  parts: AdmissionParts,
  active: ActiveClaim,
  results: readonly AttemptResult[],
): Promise<void> | undefined {
  const { lane, blobs } = parts;
  const { lease, blob, message, recipients, variants } = active;
  if (!lane.mayEnd(lease) || results.length !== recipients.length) return undefined;
  const rows: LoggedRecipient[] = [];
  for (const recipient of recipients) {
    const result = results.find(({ row }) => row === recipient.row);
    if (!result || (result.kind !== 'relayed' && result.kind !== 'delivered')) return undefined;
    if (message.reversePath !== null && wants(recipient.notify, 'success')) return undefined;
    rows.push(
      attemptRecord(message.id, recipient.address.text, ended(result.kind, message.id), boundedDetail(result.detail)),
    );
  }
  const written = lane.end(lease, rows);
  const files = variants.flatMap((variant) => variant.files.map(({ key }) => key));
  if (blob) files.push(blob);
  if (files.length === 0) return written;
  return written.then(() => {
    for (const file of files) blobs.delete(file).catch(() => undefined);
  });
}

function ended(kind: 'relayed' | 'delivered', id: string): 'relayed' | 'delivered' {
  return kind === 'relayed' ? moves.relay('queued', id) : moves.deliver('queued', id);
}
