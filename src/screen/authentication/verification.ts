/**
 * The verification of one message, made once for all checks that ask for a part of it.
 *
 * The checks of a message get the same view, so it is the key; what was made goes with it.
 */
import { andThen, type MaybePromise } from '../../model/maybe-promise.ts';
import type { CheckServices, Views } from '../check.ts';
import { type Asker, createAsker } from './ask.ts';
import { dkimSettings } from './dkim-settings.ts';
import { NOT_SIGNED, type Verified, verifySignatures } from './signatures.ts';
import { type TraceFields, traceFields } from './trace-fields.ts';
import type { SpfEvidence } from './words.ts';

export type MessageView = Views['message'];

interface Verification {
  readonly fields: TraceFields;
  readonly asker: Asker;
  signatures?: MaybePromise<Verified>;
}

const made = new WeakMap<MessageView, Verification>();

export function verificationOf(view: MessageView, services: CheckServices): Verification {
  let verification = made.get(view);
  if (!verification) {
    verification = { fields: traceFields(view.head), asker: createAsker(services.resolver) };
    made.set(view, verification);
  }
  return verification;
}

/** DKIM and ARC. Errors: those of `ContentRef.open`. */
export function signaturesOf(view: MessageView, services: CheckServices): MaybePromise<Verified> {
  const verification = verificationOf(view, services);
  const { fields, asker } = verification;
  verification.signatures ??=
    fields.signatures === 0 && fields.arc === 0
      ? NOT_SIGNED
      : verifySignatures(
          { content: view.content, head: view.head, bodyStart: view.header.endOffset, fields },
          {
            asker,
            resolver: services.resolver,
            clock: services.clock,
            minimumKeyBits: services.settings.current().get(dkimSettings.minimumKeyBits),
          },
        );
  return verification.signatures;
}

/** SPF as MAIL began it, or of the first hop behind a relay of ours; undefined where it was not made. */
export function spfOf(view: MessageView): MaybePromise<SpfEvidence | undefined> {
  return andThen(view.seen('spfRelayed'), (relayed) => {
    if (relayed?.['made'] === true) return relayed as unknown as SpfEvidence;
    return andThen(view.seen('spf'), (direct) =>
      direct?.['made'] === true ? (direct as unknown as SpfEvidence) : undefined,
    );
  });
}
