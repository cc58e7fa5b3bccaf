/**
 * SCRAM-SHA-256 and -PLUS (RFC 5802, RFC 7677, RFC 9266): the messages, and the arithmetic of both sides.
 *
 * The server stores a verifier (StoredKey, ServerKey), with which nobody can sign in. Pure: nonces, salts and channel
 * bindings are passed in. A malformed message is undefined; never throws for one.
 */
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';

export interface ScramVerifier {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/**
 * How the client treats channel binding (RFC 5802 6): it does not support it, supports it but did not use it, or uses
 * this type.
 */
export type ChannelBinding =
  | { readonly kind: 'none' }
  | { readonly kind: 'unoffered' }
  | { readonly kind: 'used'; readonly type: string };

export interface ClientFirst {
  readonly binding: ChannelBinding;
  readonly authorization: string;
  readonly username: string;
  readonly nonce: string;
  /** `gs2-header` and `client-first-message-bare`, as sent: both are signed. */
  readonly gs2Header: string;
  readonly bare: string;
}

export interface ClientFinal {
  /** Decoded `c=`: the gs2 header, followed by the channel's bytes. */
  readonly binding: Buffer;
  readonly nonce: string;
  readonly proof: Buffer;
  readonly withoutProof: string;
}

/** Names and nonces are short; anything longer is an attack on memory. */
const LONGEST_CHARACTERS = 2048;
const DIGEST_BYTES = 32;

export function parseClientFirst(message: string): ClientFirst | undefined {
  if (message.length > LONGEST_CHARACTERS) return undefined;
  // RFC 5802 7: gs2-header, then reserved `m=` is refused as it does not match; extensions are allowed and ignored.
  const match = /^((?:(n)|(y)|p=([A-Za-z0-9.-]+)),(?:a=([^,]+))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/.exec(
    message,
  );
  if (!match) return undefined;
  const [, gs2Header, none, unoffered, type, authorization, bare, username, nonce] = match;
  const name = decodeName(username!);
  const actAs = authorization === undefined ? '' : decodeName(authorization);
  if (name === undefined || actAs === undefined) return undefined;
  const binding: ChannelBinding = none
    ? { kind: 'none' }
    : unoffered
      ? { kind: 'unoffered' }
      : { kind: 'used', type: type! };
  return { binding, authorization: actAs, username: name, nonce: nonce!, gs2Header: gs2Header!, bare: bare! };
}

/** RFC 5802 5.1: `=2C` is a comma, `=3D` an equals sign, any other `=` an error. */
function decodeName(text: string): string | undefined {
  return /=(?!2C|3D)/.test(text) ? undefined : text.replace(/=2C/g, ',').replace(/=3D/g, '=');
}

export function encodeName(name: string): string {
  return name.replace(/=/g, '=3D').replace(/,/g, '=2C');
}

export function formatServerFirst(nonce: string, salt: Uint8Array, iterations: number): string {
  return `r=${nonce},s=${Buffer.from(salt).toString('base64')},i=${iterations}`;
}

export function parseServerFirst(message: string): { nonce: string; salt: Buffer; iterations: number } | undefined {
  const match =
    message.length > LONGEST_CHARACTERS
      ? null
      : /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+=*),i=([1-9]\d{0,8})(?:,.*)?$/.exec(message);
  return match ? { nonce: match[1]!, salt: Buffer.from(match[2]!, 'base64'), iterations: Number(match[3]) } : undefined;
}

export function parseClientFinal(message: string): ClientFinal | undefined {
  const match =
    message.length > LONGEST_CHARACTERS
      ? null
      : /^(c=([A-Za-z0-9+/]+=*),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?),p=([A-Za-z0-9+/]+=*)$/.exec(message);
  if (!match) return undefined;
  const proof = Buffer.from(match[4]!, 'base64');
  if (proof.length !== DIGEST_BYTES) return undefined;
  return { withoutProof: match[1]!, binding: Buffer.from(match[2]!, 'base64'), nonce: match[3]!, proof };
}

/** RFC 7677 4: at least 4,096 iterations; this product uses at least 100,000. `password` is SASLprepped. */
export function makeVerifier(password: string, salt: Uint8Array, iterations: number): ScramVerifier {
  const salted = saltPassword(password, salt, iterations);
  return { salt, iterations, storedKey: sha256(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') };
}

export interface Exchange {
  readonly clientFirstBare: string;
  readonly serverFirst: string;
  readonly clientFinalWithoutProof: string;
}

function authMessage(exchange: Exchange): string {
  return `${exchange.clientFirstBare},${exchange.serverFirst},${exchange.clientFinalWithoutProof}`;
}

/** RFC 5802 3: ClientKey := ClientProof XOR ClientSignature; its hash must be StoredKey. */
export function verifyProof(verifier: ScramVerifier, exchange: Exchange, proof: Uint8Array): boolean {
  const clientKey = xor(proof, hmac(verifier.storedKey, authMessage(exchange)));
  return timingSafeEqual(sha256(clientKey), verifier.storedKey);
}

export function formatServerFinal(verifier: Pick<ScramVerifier, 'serverKey'>, exchange: Exchange): string {
  return `v=${hmac(verifier.serverKey, authMessage(exchange)).toString('base64')}`;
}

/** The password salted with a server's salt: the expensive part of a sign-in, and the same for the next one. */
export function saltPassword(password: string, salt: Uint8Array, iterations: number): Buffer {
  return pbkdf2Sync(password, salt, iterations, DIGEST_BYTES, 'sha256');
}

/** The client's last message, and the server's last message that the client must insist on. */
export function clientFinal(
  password: string,
  clientFirst: { bare: string; gs2Header: string },
  serverFirst: string,
  channel: Uint8Array = Buffer.alloc(0),
): { message: string; expected: string } | undefined {
  const server = parseServerFirst(serverFirst);
  if (!server) return undefined;
  return clientFinalFrom(saltPassword(password, server.salt, server.iterations), clientFirst, serverFirst, channel);
}

/** The same for a password that is salted already. `serverFirst` has been parsed. */
export function clientFinalFrom(
  salted: Uint8Array,
  clientFirst: { bare: string; gs2Header: string },
  serverFirst: string,
  channel: Uint8Array,
): { message: string; expected: string } {
  const clientKey = hmac(salted, 'Client Key');
  const binding = Buffer.concat([Buffer.from(clientFirst.gs2Header), channel]).toString('base64');
  const withoutProof = `c=${binding},r=${parseServerFirst(serverFirst)!.nonce}`;
  const exchange: Exchange = { clientFirstBare: clientFirst.bare, serverFirst, clientFinalWithoutProof: withoutProof };
  const proof = xor(clientKey, hmac(sha256(clientKey), authMessage(exchange)));
  return {
    message: `${withoutProof},p=${proof.toString('base64')}`,
    expected: formatServerFinal({ serverKey: hmac(salted, 'Server Key') }, exchange),
  };
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((octet, i) => octet ^ b[i]!));
}
