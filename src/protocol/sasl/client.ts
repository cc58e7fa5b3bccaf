/**
 * The client's side of SASL (RFC 4422): PLAIN, LOGIN, SCRAM-SHA-256 and -PLUS, XOAUTH2. Challenges in, answers out,
 * as bytes.
 *
 * Each exchange is for one attempt and answers a fixed number of challenges. An invalid message of the server is a
 * `doubt`, after which nothing more is sent to it; nothing here throws for it. The caller decides whether the server
 * may receive a secret at all.
 */
import { timingSafeEqual } from 'node:crypto';
import { formatXoauth2 } from './oauth.ts';
import { formatPlain } from './plain.ts';
import { saslprep } from './saslprep.ts';
import { clientFinalFrom, encodeName, parseServerFirst } from './scram.ts';

export type ClientMechanism = 'SCRAM-SHA-256-PLUS' | 'SCRAM-SHA-256' | 'PLAIN' | 'LOGIN' | 'XOAUTH2';

export interface ClientSecret {
  /** `token`: an access token, which only XOAUTH2 sends. */
  readonly kind: 'password' | 'token';
  readonly text: string;
}

export interface ClientCredentials {
  readonly user: string;
  readonly secret: ClientSecret;
}

/** What a mechanism may use of the connection. */
export interface ClientChannel {
  /** `tls-exporter` (RFC 9266) of this connection; undefined where it has none. */
  readonly binding: Uint8Array | undefined;
  /** Printable ASCII without commas, never used before. */
  readonly nonce: string;
}

export type ClientStep =
  | { readonly kind: 'answer'; readonly data: Uint8Array }
  /** The password must be salted first (`saltPassword` of the prepared one), which takes a while. */
  | {
      readonly kind: 'salt';
      readonly password: string;
      readonly salt: Uint8Array;
      readonly iterations: number;
      finish(salted: Uint8Array): Uint8Array;
    }
  | { readonly kind: 'doubt'; readonly reason: string };

export interface ClientExchange {
  /** Undefined: the server sends first. */
  readonly initial: Uint8Array | undefined;
  challenged(challenge: Uint8Array): ClientStep;
  /** Called when the server reports success: returns why that cannot be true, or undefined. */
  accepted(): string | undefined;
}

/**
 * RFC 7677 4 asks for 4,096 iterations at least: with fewer, a compromised server learns a password sooner. A million
 * take a third of a second; more is an attack on our processor.
 */
const ITERATIONS = { least: 4_096, most: 1_000_000 } as const;
const EMPTY = Buffer.alloc(0);

const BY_STRENGTH: readonly ClientMechanism[] = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN'];
const BY_TOKEN: readonly ClientMechanism[] = ['XOAUTH2'];

/** The strongest mechanism that the server offers (names in upper case) and these credentials support. */
export function chooseMechanism(
  offered: readonly string[],
  { secret }: ClientCredentials,
  canBind: boolean,
  allowed: readonly ClientMechanism[] = secret.kind === 'token' ? BY_TOKEN : BY_STRENGTH,
): ClientMechanism | undefined {
  const possible = (mechanism: ClientMechanism): boolean => {
    if (mechanism === 'SCRAM-SHA-256-PLUS' && !canBind) return false;
    return !mechanism.startsWith('SCRAM') || saslprep(secret.text) !== undefined;
  };
  return allowed.find((mechanism) => offered.includes(mechanism) && possible(mechanism));
}

export function beginExchange(
  mechanism: ClientMechanism,
  credentials: ClientCredentials,
  channel: ClientChannel,
): ClientExchange {
  const { user, secret } = credentials;
  switch (mechanism) {
    case 'PLAIN':
      return said(formatPlain({ authorization: '', username: user, password: secret.text }));
    case 'XOAUTH2':
      return xoauth2(credentials);
    case 'LOGIN':
      return login(credentials);
    default:
      return scram(mechanism === 'SCRAM-SHA-256-PLUS', credentials, channel);
  }
}

/** A mechanism of one message. */
function said(initial: Uint8Array): ClientExchange {
  return { initial, challenged: () => doubt('it asks on after everything was said'), accepted: () => undefined };
}

/** An error arrives as a challenge, which gets an empty answer before the refusal (as RFC 7628 3.2.3). */
function xoauth2({ user, secret }: ClientCredentials): ClientExchange {
  let failed = false;
  return {
    initial: Buffer.from(formatXoauth2(user, secret.text)),
    challenged() {
      if (failed) return doubt('it asks on after everything was said');
      failed = true;
      return answer(EMPTY);
    },
    accepted: () => (failed ? 'it reports an error and success at once' : undefined),
  };
}

/** Servers name the two prompts differently; their order is fixed. */
function login({ user, secret }: ClientCredentials): ClientExchange {
  const answers = [user, secret.text];
  return {
    initial: undefined,
    challenged() {
      const next = answers.shift();
      return next === undefined ? doubt('it asks on after everything was said') : answer(Buffer.from(next));
    },
    accepted: () => (answers.length > 0 ? 'it asked for no password' : undefined),
  };
}

function scram(plus: boolean, { user, secret }: ClientCredentials, { binding, nonce }: ClientChannel): ClientExchange {
  // RFC 5802 6: `y` informs a server that offered -PLUS that somebody removed it from the list.
  const gs2Header = plus ? 'p=tls-exporter,,' : binding ? 'y,,' : 'n,,';
  const bare = `n=${encodeName(saslprep(user) ?? user)},r=${nonce}`;
  let expected: Buffer | undefined;
  let state: 'first' | 'final' | 'refused' | 'proven' = 'first';

  function first(challenge: string): ClientStep {
    const server = parseServerFirst(challenge);
    if (!server) return doubt('its first SCRAM message is malformed');
    // RFC 5802 5.1: the nonce begins with ours, or an old exchange is being replayed.
    if (!server.nonce.startsWith(nonce) || server.nonce.length === nonce.length)
      return doubt('its SCRAM nonce does not continue ours');
    const { salt, iterations } = server;
    if (iterations < ITERATIONS.least || iterations > ITERATIONS.most)
      return doubt(`it asks for ${iterations} SCRAM iterations, outside ${ITERATIONS.least} to ${ITERATIONS.most}`);
    state = 'final';
    return {
      kind: 'salt',
      password: saslprep(secret.text) ?? secret.text,
      salt,
      iterations,
      finish(salted) {
        const final = clientFinalFrom(salted, { bare, gs2Header }, challenge, plus ? binding! : EMPTY);
        expected = Buffer.from(final.expected);
        return Buffer.from(final.message);
      },
    };
  }

  /** RFC 5802 5.1: the server proves that it knows the password too, or names the error and refuses. */
  function final(challenge: Buffer): ClientStep {
    if (challenge.subarray(0, 2).toString() === 'e=') {
      state = 'refused';
      return answer(EMPTY);
    }
    if (expected?.length !== challenge.length || !timingSafeEqual(expected, challenge))
      return doubt('its SCRAM signature is wrong: it does not know the password');
    state = 'proven';
    return answer(EMPTY);
  }

  return {
    initial: Buffer.from(gs2Header + bare),
    challenged(challenge) {
      const bytes = Buffer.from(challenge.buffer, challenge.byteOffset, challenge.byteLength);
      if (state === 'first') return first(bytes.toString('utf8'));
      return state === 'final' ? final(bytes) : doubt('it asks on after SCRAM is over');
    },
    accepted: () => (state === 'proven' ? undefined : 'it ended SCRAM without proving that it knows the password'),
  };
}

function answer(data: Uint8Array): ClientStep {
  return { kind: 'answer', data };
}

function doubt(reason: string): ClientStep {
  return { kind: 'doubt', reason };
}
