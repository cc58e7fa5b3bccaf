/** How many of the recipients left go in the next transaction. */

import type { PeerLimits } from '../protocol/smtp/ehlo-reply.ts';
import type { ClaimedRecipient } from '../queue/contract.ts';
import { DELIVERY_LIMITS } from './limits.ts';

/** RFC 5321 4.5.3.1.8 and the limits that the peer announces (RFC 9422). At least one, in order. */
export function nextBatch(recipients: readonly ClaimedRecipient[], limits: PeerLimits): readonly ClaimedRecipient[] {
  const most = Math.min(limits.rcptMax ?? DELIVERY_LIMITS.recipientsPerTransaction, recipients.length);
  if (limits.rcptDomainMax === undefined) return most === recipients.length ? recipients : recipients.slice(0, most);
  const domains = new Set<string>();
  for (let i = 0; i < most; i++) {
    domains.add(recipients[i]!.address.domain);
    if (domains.size > limits.rcptDomainMax) return recipients.slice(0, i);
  }
  return recipients.slice(0, most);
}
