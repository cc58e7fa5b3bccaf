/** What one attempt holds while it is under way, and what attempts work with. */
import type { AttemptResult, Claim, ClaimedRecipient, EarlierHost } from '../queue/contract.ts';
import type { OpeningFailure } from '../wire/client/types.ts';
import type { Connector } from './connector.ts';
import type { RouteTarget } from './destinations.ts';
import type { Peers } from './peers.ts';
import type { Pool } from './pool.ts';
import type { Candidate, DeliveryServices, Route } from './types.ts';

export type HostsRoute = Extract<Route, { kind: 'hosts' }>;

export interface Attempt {
  readonly claim: Claim;
  readonly destination: RouteTarget;
  /** When it began, the destination was not known to take mail. */
  readonly isDoubtful: boolean;
  readonly results: AttemptResult[];
  /** Recipients without a result yet. */
  left: readonly ClaimedRecipient[];
  route: HostsRoute | undefined;
  /** What is still to be tried; undefined while kept connections do. */
  candidates: Candidate[] | undefined;
  /** Those that were asked again in clear: once is enough. */
  redialled: readonly Candidate[];
  /** What led to the host of now, for the log; undefined where it is the first. */
  earlier: readonly EarlierHost[] | undefined;
  /** The last host that no session, or no answer, was had from: the try ends with it where no other takes the mail. */
  refused: { readonly candidate: Candidate; readonly failure: OpeningFailure; readonly tls?: string } | undefined;
  /** How often its report was shortened, as a host had found it too large. */
  shortened: number;
  /** Every host that was asked said 5xx. */
  isPermanent: boolean;
  /** `none`: no session with any host. */
  reached: 'yes' | 'none';
  /** `stopping`: no transaction follows the one under way; `over`: settled, and whoever still comes back with something of it is sent away. */
  stage: 'under-way' | 'stopping' | 'over';
  /** A transaction of it is under way. */
  isSending: boolean;
  /** A mailbox or a reader here has it. */
  isLocal: boolean;
}

export interface AttemptTools {
  readonly services: DeliveryServices;
  readonly pool: Pool;
  readonly peers: Peers;
  readonly connector: Connector;
  done(attempt: Attempt): void;
}

export function newAttempt(claim: Claim, destination: RouteTarget): Attempt {
  return {
    claim,
    destination,
    isDoubtful: !destination.takesMail,
    results: [],
    left: claim.recipients,
    route: undefined,
    candidates: undefined,
    redialled: [],
    earlier: undefined,
    refused: undefined,
    shortened: 0,
    isPermanent: true,
    reached: 'yes',
    stage: 'under-way',
    isSending: false,
    isLocal: false,
  };
}
