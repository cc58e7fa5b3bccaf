/** The types of delivery: services, routes, candidates. */
import type { Directory } from '../directory/contract.ts';
import type { ServerLogin, ServerLogins } from '../directory/servers/logins.ts';
import type { AttemptResult, Claim, Queue } from '../queue/contract.ts';
import type { Settings } from '../settings/contract.ts';
import type { Clock } from '../world/clock.ts';
import type { Events } from '../world/events.ts';
import type { ResolveHost } from '../world/hosts-file.ts';
import type { Random } from '../world/random.ts';
import type { CachingResolver } from '../world/resolver.ts';
import type { TlsContexts } from '../world/tls.ts';
import type { Signing } from './signing/types.ts';

/** Takes claims whose destination has local mailboxes. One result a recipient; never throws for a full or frozen mailbox. */
export interface LocalDelivery {
  deliver(claim: Claim): Promise<readonly AttemptResult[]>;
}

/** Whether mail for a destination may go in clear. Policies (MTA-STS, DANE, REQUIRETLS) answer `required`. */
export type TlsPolicy = (destination: string, host: string) => 'opportunistic' | 'required';

export interface DeliveryServices {
  readonly clock: Clock;
  readonly random: Random;
  readonly resolver: CachingResolver;
  readonly directory: Directory;
  readonly settings: Settings;
  readonly events: Events;
  readonly tls: Pick<TlsContexts, 'opportunistic'>;
  readonly queue: Pick<Queue, 'settle' | 'wake' | 'destinationFailed' | 'destinationSucceeded'>;
  readonly resolveHost: ResolveHost;
  /** Absent: mail is sent to every server without authentication. */
  readonly logins?: Pick<ServerLogins, 'of'>;
  /** Absent until there are local mailboxes. */
  readonly local?: LocalDelivery;
  /** Destinations that exist on this node only, each with its receiver: the reader of reports. */
  readonly sinks?: Readonly<Record<string, LocalDelivery>>;
  readonly tlsPolicy?: TlsPolicy;
  /** Absent: mail is not signed. */
  readonly signing?: Signing;
}

export interface DeliveryOptions {
  /** The node's own name. */
  readonly hostname: string;
  /** Addresses of this machine's interfaces. */
  readonly localAddresses: () => readonly string[];
  /** Ports that this node listens on. A server that an operator entered is this node only at one of them. */
  readonly listeningPorts: () => readonly number[];
  /** The port of mail exchangers; tests cannot have 25. */
  readonly exchangerPort?: number;
}

/** One address to connect to. */
export interface Candidate {
  /** The name in the route, or the address itself. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** The credentials for a sign-in before any mail. */
  readonly login?: ServerLogin;
}

/** The addresses of one host, in the order to try them. */
export type Host = readonly Candidate[];

/** The current way of mail for a destination. */
export type Route =
  /** Groups in order of preference; the hosts within one are equal, taken in any order. */
  | {
      readonly kind: 'hosts';
      readonly groups: readonly (readonly Host[])[];
      /** An operator entered them, and a wrong setup is no fault of the message. */
      readonly isEntered?: true;
    }
  | { readonly kind: 'mailboxes' }
  | { readonly kind: 'sink'; readonly sink: LocalDelivery }
  | { readonly kind: 'failed' | 'deferred'; readonly status: string; readonly reason: string };

export function noRoute(kind: 'failed' | 'deferred', status: string, reason: string): Route {
  return { kind, status, reason };
}
