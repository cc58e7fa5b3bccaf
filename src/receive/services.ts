/** The services that receiving needs of the rooms below; main passes them in. */
import type { SessionGuard } from '../guard/sessions.ts';
import type { Journal } from '../journal/contract.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { Queue } from '../queue/contract.ts';
import type { Screen } from '../screen/contract.ts';
import type { Settings } from '../settings/contract.ts';
import type { Blobs } from '../store/contract.ts';
import type { Authority, Offers } from '../wire/sasl/types.ts';
import type { Clock } from '../world/clock.ts';
import type { Events } from '../world/events.ts';
import type { Random } from '../world/random.ts';
import type { TlsContexts } from '../world/tls.ts';

export interface ReceiveServices {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  readonly settings: Settings;
  readonly screen: Screen;
  readonly queue: Pick<Queue, 'newId' | 'commit'>;
  readonly blobs: Pick<Blobs, 'spool'>;
  readonly journal: Pick<Journal, 'session' | 'message'>;
  readonly tls: TlsContexts;
  /** Whether any server of ours identifies itself by a client certificate. */
  readonly asksCertificates: () => boolean;
  /** Ends the sessions of an account that is frozen, disabled or removed. */
  readonly sessions: Pick<SessionGuard, 'enter'>;
  /** Checks credentials. */
  readonly credentials: Authority & { offers(): MaybePromise<Offers> };
}
