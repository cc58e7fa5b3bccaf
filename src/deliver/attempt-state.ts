/** The state of one attempt while it is under way, and the services that attempts use. */
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
  /** The candidates left; undefined while there are idle connections to use. */
  candidates: Candidate[] | undefined;
  /** Hosts that were tried again in clear: once is enough. */
  redialled: readonly Candidate[];
  /** The hosts before the current one, for the log; undefined if it is the first. */
  earlier: readonly EarlierHost[] | undefined;
  /** The last host that gave no session, or no answer: the attempt ends with it if no other takes the mail. */
  refused: { readonly candidate: Candidate; readonly failure: OpeningFailure; readonly tls?: string } | undefined;
  /** How often its report was shortened because a host found it too large. */
  shortened: number;
  /** Every host that was asked answered 5xx. */
  isPermanent: boolean;
  /** `none`: no session with any host. */
  reached: 'yes' | 'none';
  /** `stopping`: no transaction follows the one under way; `over`: settled, and late results are ignored. */
  stage: 'under-way' | 'stopping' | 'over';
  /** One of its transactions is under way. */
  isSending: boolean;
  /** It was delivered to a local mailbox or reader. */
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
