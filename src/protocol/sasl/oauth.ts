/**
 * OAUTHBEARER (RFC 7628) and the older XOAUTH2: a bearer token in place of a password. The token is passed on unread.
 * Undefined for malformed messages; never throws.
 */
export interface BearerCredentials {
  /** The user named beside the token; absent if only the token names one. */
  readonly username?: string;
  readonly token: string;
}

/** Tokens carry claims and a signature; providers stay well below this. */
const LONGEST_CHARACTERS = 16_384;

/** RFC 7628 3.1: `n,a=user,` ^A `host=...` ^A `auth=Bearer token` ^A ^A. */
export function parseOauthBearer(message: string): BearerCredentials | undefined {
  if (message.length > LONGEST_CHARACTERS) return undefined;
  // Channel binding is not defined for this mechanism beyond `n` and `y`.
  const header = /^[ny],(?:a=([^,\x01]*))?,\x01/.exec(message);
  if (!header || !message.endsWith('\x01\x01')) return undefined;
  const token = bearer(message.slice(header[0].length, -2).split('\x01'));
  if (token === undefined) return undefined;
  const username = header[1]?.replace(/=2C/g, ',').replace(/=3D/g, '=');
  return username ? { username, token } : { token };
}

/** `user=` user ^A `auth=Bearer ` token ^A ^A. */
export function parseXoauth2(message: string): BearerCredentials | undefined {
  if (message.length > LONGEST_CHARACTERS || !message.endsWith('\x01\x01')) return undefined;
  const [user, ...rest] = message.slice(0, -2).split('\x01');
  const token = bearer(rest);
  if (!user?.startsWith('user=') || user.length === 5 || !token) return undefined;
  return { username: user.slice(5), token };
}

/** RFC 6750 2.1: b64token; exactly one `auth` key. RFC 7628 4.3: an empty one asks where to get a token. */
function bearer(pairs: readonly string[]): string | undefined {
  const values = pairs.filter((pair) => pair.startsWith('auth='));
  if (values.length !== 1) return undefined;
  return values[0] === 'auth=' ? '' : /^auth=bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(values[0]!)?.[1];
}

export function formatXoauth2(username: string, token: string): string {
  return `user=${username}\x01auth=Bearer ${token}\x01\x01`;
}

export interface OauthFailure {
  readonly status: 'invalid_token' | 'insufficient_scope';
  /** The scope of a token that would be accepted. */
  readonly scope?: string;
  /** The URL of the issuer's metadata. */
  readonly configuration?: string;
}

/** RFC 7628 3.2.2: the server's challenge before it refuses. */
export function formatOauthFailure({ status, scope, configuration }: OauthFailure): string {
  return JSON.stringify({
    status,
    ...(scope && { scope }),
    ...(configuration && { 'openid-configuration': configuration }),
  });
}

/** The customary form for clients of XOAUTH2, with a status of HTTP. */
export function formatXoauth2Failure({ status, scope }: OauthFailure): string {
  return JSON.stringify({
    status: status === 'invalid_token' ? '401' : '403',
    schemes: 'bearer',
    ...(scope && { scope }),
  });
}
