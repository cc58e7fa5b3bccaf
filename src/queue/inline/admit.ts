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
import { messageRow, recipientRow } from '../rows/rows.ts';
import { discardSplices, type NewVariant, variantsOf } from '../rows/variants.ts';

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
  if (!first || !lane.hasRoom() || !haveOneDestination(message)) return undefined;
  const key = keyOf(message.id);
  invariant(key !== undefined, `message id ${message.id} was made by newId`);
  const variants = variantsOf(message, key);
  const [variant] = variants;
  if (variants.some((other) => other !== variant)) return undefined;
  const bytes = ownBytes(message, variant);
  const destination = dispatch.reserve(first.destination, bytes);
  const entering = { message, key, variant };
  if (destination) return enter(parts, entering, destination);
  return dispatch
    .awaitPlace(first.destination, bytes)
    ?.then((place) => (place ? enter(parts, entering, place) : otherwise()));
}

interface Entering {
  readonly message: NewMessage;
  readonly key: number;
  readonly variant: NewVariant | undefined;
}

function enter(
  parts: AdmissionParts,
  { message, key, variant }: Entering,
  destination: DestinationState,
): Promise<void> {
  const { lane, dispatch, journaling, clock, newLease } = parts;
  const now = clock.now();
  const lease = newLease();
  const logged = loggedMessage(message);
  const place = {
    id: message.id,
    message: key,
    now,
    variant: variant?.v ?? null,
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
    variant: variant?.rows,
    content: home,
  });
  return entered.then(
    () => {
      journaling.message(key, logged);
      const recipients = message.recipients.map((recipient, n) => activeRecipientOf(recipient, n, now));
      const group = { destination, variant, lease, recipients };
      discardSplices(message, variant && [variant]);
      dispatch.offer(activeClaimOf(parts, message, key, group, message.content.release));
    },
    (error) => {
      dispatch.cancel(destination);
      message.content.discard();
      discardSplices(message);
      throw error;
    },
  );
}

/** And none is held or discarded. */
function haveOneDestination({ recipients }: NewMessage): boolean {
  const [first] = recipients;
  return recipients.every(({ state, destination }) => state === 'queued' && destination === first!.destination);
}
