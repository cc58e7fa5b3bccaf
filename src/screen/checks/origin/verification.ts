/**
 * The verification of one message, done once for all checks that use a part of it. It is kept in the view that they
 * share.
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
   * For the author domain's policies. Signatures have another one: a message may have so many of them that no
   * question would be left for its policy. Created at the first question: most messages have none.
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

/** SPF as begun at MAIL, or of the first hop behind a relay of ours; undefined if it was not done. */
export function spfOf(view: MessageView): MaybePromise<SpfEvidence | undefined> {
  return andThen(view.observed('spfRelayed'), (relayed) => {
    if (relayed?.['made'] === true) return relayed as unknown as SpfEvidence;
    return andThen(view.observed('spf'), (direct) =>
      direct?.['made'] === true ? (direct as unknown as SpfEvidence) : undefined,
    );
  });
}
