/**
 * The DNS questions of a transaction: its share of the look-ups, and the result if it had none.
 *
 * A shortage of this node is never "cannot tell" of the sender, which settings may let pass: findings from such
 * answers do not count, and the client is asked to try again.
 */
import type { Finding } from '../../model/finding.ts';
import type { SessionFacts } from '../../model/session.ts';
import { networkOf, siteOf } from '../../wire/network.ts';
import type { LookUpOwner } from '../../world/resolver.ts';

/** A site, a network of it, a session: each has its share beside others of its level. */
export function lookUpOwner({ id, client: { address } }: SessionFacts): LookUpOwner {
  return [siteOf(address), networkOf(address), id];
}

const TEXT = 'this server cannot verify the sender now, as it is short of DNS look-ups; try again later';

/** First of all findings, so that the client gets its reply. */
export const SHORT_OF_LOOK_UPS: readonly Finding[] = Object.freeze([
  {
    check: 'lookUps',
    outcome: 'error',
    code: 'short',
    text: 'the node was short of DNS look-ups for this client, so its sender could not be verified',
    action: 'defer',
    // RFC 3463 3.4: X.3.2, the system does not accept messages now.
    reply: { code: 451, enhanced: '4.3.2', text: TEXT },
  },
]);
