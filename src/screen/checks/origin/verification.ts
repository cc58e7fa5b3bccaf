/**
 * The verification of one message, made once for all checks that ask for a part of it. It stays with
 * the view that they share.
 */
import { andThen, type MaybePromise } from '../../../model/maybe-promise.ts';
import type { Resolver } from '../../../world/resolver.ts';
import type { CheckServices, Views } from '../../engine/check.ts';
import { type Asker, createAsker } from './ask.ts';
import { dkimSettings } from './signatures/settings.ts';
import { NOT_SIGNED, type Verified, verifySignatures } from './signatures/signatures.ts';
import type { SpfEvidence } from './types.ts';

export type MessageView = Views['message'];

/** Author domains whose signatures go first: a good message has one. */
const AUTHORS = 10;

export class Verification {
  signatures: MaybePromise<Verified> | undefined;
  readonly #resolver: Resolver;
  #policies: Asker | undefined;

  constructor(resolver: Resolver) {
    this.#resolver = resolver;
  }

  /**
   * Of the author domain's policies. Not that of signatures, of which a message may bring so many that
   * no question is left for its policy. Made for the first that has a question: most messages have none.
   */
  get asker(): Asker {
    this.#policies ??= createAsker(this.#resolver);
    return this.#policies;
  }
}

export function verificationOf(view: MessageView, { resolver }: CheckServices): Verification {
  view.verification ??= new Verification(resolver);
  return view.verification;
}

/** DKIM and ARC. Errors: those of `ContentRef.open`. */
export function signaturesOf(view: MessageView, services: CheckServices): MaybePromise<Verified> {
  const { endOffset, origin, author } = view.header;
  if (origin.signatures === 0 && origin.arc === 0) return NOT_SIGNED;
  const verification = verificationOf(view, services);
  verification.signatures ??= verifySignatures(
    {
      content: view.content,
      head: view.head,
      bodyStart: endOffset,
      fields: origin,
      authors: author.domains.slice(0, AUTHORS),
    },
    {
      asker: createAsker(services.resolver),
      resolver: services.resolver,
      clock: services.clock,
      signal: services.signal,
      minimumKeyBits: services.settings.current().get(dkimSettings.minimumKeyBits),
    },
  );
  return verification.signatures;
}

/** SPF as MAIL began it, or of the first hop behind a relay of ours; undefined where it was not made. */
export function spfOf(view: MessageView): MaybePromise<SpfEvidence | undefined> {
  return andThen(view.observed('spfRelayed'), (relayed) => {
    if (relayed?.['made'] === true) return relayed as unknown as SpfEvidence;
    return andThen(view.observed('spf'), (direct) =>
      direct?.['made'] === true ? (direct as unknown as SpfEvidence) : undefined,
    );
  });
}
