/** What signing needs and gives. */
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
  /** Rewritten, or as it was. */
  readonly reversePath: ReversePath;
}

/** The last step before the wire. */
export interface Signing {
  /** Asked of every claim, so it is quick; false: it goes out as it is. */
  concerns(claim: Claim): boolean;
  /** Signs, seals or readdresses what is due. Errors: those of reading the content. A key that fails leaves it unsigned. */
  prepare(claim: Claim, content: OutgoingContent, body: BodyType): MaybePromise<Outgoing>;
}
