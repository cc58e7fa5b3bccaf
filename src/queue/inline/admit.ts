/**
 * Whether a new message may go the inline way, and its admission there: all its recipients are to be
 * tried now, in one transaction, and its destination has room.
 */
import { invariant } from '../../model/errors.ts';
import { type AdmissionParts, activeClaimOf, activeRecipientOf, ownBytes } from '../accept/admission.ts';
import type { NewMessage } from '../contract.ts';
import type { DestinationState } from '../dispatch/destinations.ts';
import { wantsDelayWarning } from '../dsn/notices.ts';
import { loggedMessage } from '../journal/records.ts';
import { keyOf } from '../model/ids.ts';
import { editsText, messageRow, recipientRow } from '../rows/rows.ts';

/**
 * Undefined: it goes into the database. Else durable when it resolves; errors as of Queue.commit.
 * `otherwise`: into the database, where there was no place in time.
 */
export function admitInline(
  parts: AdmissionParts,
  message: NewMessage,
  otherwise: () => Promise<void>,
): Promise<void> | undefined {
  const { lane, dispatch } = parts;
  const [first] = message.recipients;
  if (!first || !lane.hasRoom() || !travelTogether(message)) return undefined;
  const bytes = ownBytes(message);
  const destination = dispatch.reserve(first.destination, bytes);
  if (destination) return enter(parts, message, destination);
  return dispatch
    .awaitPlace(first.destination, bytes)
    ?.then((place) => (place ? enter(parts, message, place) : otherwise()));
}

function enter(parts: AdmissionParts, message: NewMessage, destination: DestinationState): Promise<void> {
  const { lane, dispatch, journaling, clock, newLease } = parts;
  const first = message.recipients[0]!;
  const key = keyOf(message.id);
  invariant(key !== undefined, `message id ${message.id} was made by newId`);
  const now = clock.now();
  const edits = editsText(first);
  const lease = newLease();
  const logged = loggedMessage(message);
  const place = {
    id: message.id,
    message: key,
    now,
    edits,
    lease: null,
    leaseUntil: null,
    sender: message.reversePath?.text ?? null,
    subject: null,
  };
  const { home } = message.content;
  const entered = lane.enter({
    lease,
    message: messageRow(message, key, logged),
    recipients: message.recipients.map((recipient, n) =>
      recipientRow(recipient, {
        ...place,
        n,
        wantsDelayWarning: wantsDelayWarning(message, recipient),
      }),
    ),
    content: home,
  });
  return entered.then(
    () => {
      journaling.message(key, logged);
      const recipients = message.recipients.map((recipient, n) => activeRecipientOf(recipient, n, now));
      const group = { destination, edits, lease, recipients, headerEdits: first.edits ?? [] };
      dispatch.offer(activeClaimOf(parts, message, key, group, message.content.release));
    },
    (error) => {
      dispatch.cancel(destination);
      message.content.discard();
      throw error;
    },
  );
}

/** Of one destination and variant, and none held or discarded. */
function travelTogether({ recipients }: NewMessage): boolean {
  const first = recipients[0]!;
  const edits = editsText(first);
  for (const recipient of recipients) {
    if (recipient.state !== 'queued' || recipient.destination !== first.destination) return false;
    if (recipient !== first && editsText(recipient) !== edits) return false;
  }
  return true;
}
