/**
 * The server's side of a SASL exchange (RFC 4422), for every protocol with sign-in: bytes in, challenges and one
 * verdict out. The protocol around it does base64, cancellation and bounds on lines.
 *
 * Each exchange is for one attempt. A malformed message ends it; nothing here throws or rejects. The verdict's reason
 * is for the log: the reply to the client must not depend on it.
 */
import type { MaybePromise } from '../../model/maybe-promise.ts';
import type { Random } from '../../world/random.ts';
import { bearer } from './bearer.ts';
import { cramMd5 } from './cram-md5.ts';
import { external } from './external.ts';
import { login, plain } from './passwords.ts';
import { scram } from './scram.ts';
import type { Authority, Offers, SaslVerdict } from './types.ts';

export type SaslStep =
  | { readonly kind: 'challenge'; readonly data: Uint8Array | string }
  | { readonly kind: 'done'; readonly verdict: SaslVerdict }
  /** It is refused, with the reason in a challenge; whatever the client answers, the exchange is over then. */
  | { readonly kind: 'refusal'; readonly data: string; readonly verdict: SaslVerdict & { readonly kind: 'no' } }
  | { readonly kind: 'malformed' };

export interface SaslExchange {
  /** Undefined at most once, at the beginning: the client sent no initial response. */
  respond(message: Buffer | undefined): MaybePromise<SaslStep>;
}

/** What a mechanism may use of the connection. */
export interface SaslChannel {
  /** `tls-exporter` (RFC 9266) of this connection; undefined where it has none. */
  readonly binding: Uint8Array | undefined;
  /** SHA-256, hex, of the certificate whose key the client proved to have. */
  readonly certificate: string | undefined;
  /** The client's, as limits count it (network.ts); absent where there is none, as in a command. */
  readonly network?: string;
  /** Our name. */
  readonly hostname: string;
  readonly random: Random;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export type Mechanism = (authority: Authority, channel: SaslChannel) => SaslExchange;

const MECHANISMS: Readonly<Record<string, Mechanism>> = {
  'SCRAM-SHA-256-PLUS': scram(true),
  'SCRAM-SHA-256': scram(false),
  PLAIN: plain,
  LOGIN: login,
  OAUTHBEARER: bearer('OAUTHBEARER'),
  XOAUTH2: bearer('XOAUTH2'),
  EXTERNAL: external,
  'CRAM-MD5': cramMd5,
};

/** The best first: many clients take the first one they know. */
export function offeredMechanisms(offers: Offers, channel: Pick<SaslChannel, 'binding' | 'certificate'>): string[] {
  return [
    ...(offers.external && channel.certificate !== undefined ? ['EXTERNAL'] : []),
    ...(offers.scram && channel.binding ? ['SCRAM-SHA-256-PLUS'] : []),
    ...(offers.scram ? ['SCRAM-SHA-256'] : []),
    'PLAIN',
    'LOGIN',
    ...(offers.bearer ? ['OAUTHBEARER', 'XOAUTH2'] : []),
    ...(offers.cramMd5 ? ['CRAM-MD5'] : []),
  ];
}

/** Whether the name is of a mechanism, offered or not: a log may show it. */
export function isMechanism(name: string): boolean {
  return Object.hasOwn(MECHANISMS, name.toUpperCase());
}

/** Undefined for a mechanism that is not offered on this channel. */
export function beginSasl(
  name: string,
  offers: Offers,
  authority: Authority,
  channel: SaslChannel,
): SaslExchange | undefined {
  const mechanism = name.toUpperCase();
  return offeredMechanisms(offers, channel).includes(mechanism)
    ? MECHANISMS[mechanism]?.(authority, channel)
    : undefined;
}
