/** The types of signing. */
import type { Directory } from '../../directory/contract.ts';
import type { DkimKeys } from '../../directory/signing-keys/dkim-keys.ts';
import type { SrsKeys } from '../../directory/signing-keys/srs-keys.ts';
import type { ReversePath } from '../../model/address.ts';
import type { BodyType } from '../../model/envelope.ts';
import type { MaybePromise } from '../../model/maybe-promise.ts';
import type { Claim } from '../../queue/contract.ts';
import type { Settings } from '../../settings/contract.ts';
import type { OutgoingContent } from '../../wire/client/types.ts';
import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';

export interface SigningServices {
  readonly clock: Clock;
  readonly events: Events;
  readonly settings: Settings;
  readonly directory: Pick<Directory, 'domain' | 'isMailServerOf'>;
  readonly dkim: Pick<DkimKeys, 'active'>;
  readonly srs: Pick<SrsKeys, 'forward'>;
  /** The node's own name: the domain of its reports. */
  readonly hostname: string;
}

export interface Outgoing {
  readonly content: OutgoingContent;
  /** Rewritten, or unchanged. */
  readonly reversePath: ReversePath;
}

/** The last step before sending. */
export interface Signing {
  /** Called for every claim, so it is fast; false: it is sent unchanged. */
  concerns(claim: Claim): boolean;
  /**
   * Signs, seals or rewrites as needed. Errors: those of reading the content. With a failing key it stays unsigned.
   */
  prepare(claim: Claim, content: OutgoingContent, body: BodyType): MaybePromise<Outgoing>;
}
