/**
 * Tokens in place of passwords (RFC 7519, in OAUTHBEARER and XOAUTH2): finds the user of a token.
 *
 * A token names its user and its issuer; only an issuer that may vouch for the user's domain is asked for its keys,
 * so no token makes this node connect to a host that the operator did not name. Three answers: an issuer that cannot
 * be reached is `cannot-tell`, never a pass and never a `no`. The token itself is neither stored nor logged. Never
 * rejects, except for a failing database.
 */
import type { CompactJWSHeaderParameters, JWTPayload } from 'jose';
import type { Settings } from '../../../settings/contract.ts';
import { createCache } from '../../cache.ts';
import { ALGORITHMS, isSignInType, type Named, namedAddress, scopesOf, shown } from './claims.ts';
import { createIssuer, type Issuer, type IssuerServices, metadataUrls } from './issuer.ts';
import { ISSUERS_KEPT, LEEWAY_SECONDS, TOKEN_CHARACTERS } from './limits.ts';
import { parseIssuer, type TrustedIssuer, tokenSettings } from './settings.ts';

/** In order: a token that fails one passed those before it. */
export const TOKEN_CHECKS = [
  'form',
  'algorithm',
  'type',
  'address',
  'issuer',
  'key',
  'signature',
  'audience',
  'time',
  'scope',
] as const;
export type TokenCheck = (typeof TOKEN_CHECKS)[number];

export type TokenVerdict =
  /** `address`: from addressKey. */
  | { readonly kind: 'yes'; readonly address: string; readonly issuer: string }
  | { readonly kind: 'no'; readonly check: TokenCheck; readonly why: string; readonly domain?: string }
  | { readonly kind: 'cannot-tell'; readonly reason: string };

/** RFC 7628 3.2.2: where a client gets a token that would be accepted. */
export interface TokenHint {
  readonly scope?: string;
  readonly configuration?: string;
}

export interface Tokens {
  /** Whether any issuer is configured. */
  isConfigured(): boolean;
  read(token: string): Promise<TokenVerdict>;
  hint(domain: string | undefined): TokenHint;
}

export interface TokenServices extends IssuerServices {
  readonly settings: Settings;
}

interface Parsed {
  readonly header: CompactJWSHeaderParameters;
  readonly payload: JWTPayload;
}

export function createTokens(services: TokenServices): Tokens {
  const { settings, clock } = services;
  const kept = createCache<Issuer>(ISSUERS_KEPT);

  const issuersOf = (domain: string | undefined): readonly TrustedIssuer[] =>
    settings
      .current()
      .get(tokenSettings.issuers, domain === undefined ? undefined : { domain })
      .flatMap((line) => parseIssuer(line) ?? []);

  function issuer(url: string): Issuer {
    const trust = settings.current().get(tokenSettings.trust);
    const key = `${url}\0${trust}`;
    const known = kept.get(key) ?? createIssuer(url, trust, services);
    kept.set(key, known);
    return known;
  }

  /** The user that it names, unverified. */
  function named({ payload }: Parsed): Named {
    const snapshot = settings.current();
    return namedAddress(payload, snapshot.get(tokenSettings.addressClaims), (domain) =>
      snapshot.get(tokenSettings.verifiedEmail, { domain }),
    );
  }

  async function verify(
    token: string,
    parsed: Parsed,
    trusted: readonly TrustedIssuer[],
    url: string,
  ): Promise<TokenVerdict | undefined> {
    const answer = await issuer(url).keyFor(parsed.header);
    if (answer.kind === 'cannot-tell') return { kind: 'cannot-tell', reason: `${url}: ${answer.reason}` };
    if (answer.kind === 'none')
      return no('key', `the issuer has no key ${shown(parsed.header.kid)} for ${parsed.header.alg}`);
    const { jwtVerify } = await import('jose');
    try {
      await jwtVerify(token, answer.key, {
        algorithms: [...ALGORITHMS],
        issuer: url,
        audience: trusted.flatMap((one) => (one.url === url ? one.audiences : [])),
        // RFC 8725 3.8 to 3.10: these claims must be present.
        requiredClaims: ['iss', 'aud', 'exp'],
        clockTolerance: LEEWAY_SECONDS,
        currentDate: new Date(clock.now()),
      });
      return undefined;
    } catch (error) {
      return refusalOf(error as Error & { code?: string; claim?: string }, parsed);
    }
  }

  async function decide(token: string): Promise<TokenVerdict> {
    const parsed = await parse(token);
    if ('kind' in parsed) return parsed;
    const { header, payload } = parsed;
    if (!ALGORITHMS.includes(header.alg))
      return no('algorithm', `alg must be one of ${ALGORITHMS.join(', ')}: it is ${shown(header.alg)}`);
    if (!isSignInType(header.typ)) return no('type', `typ must be JWT or at+jwt: it is ${shown(header.typ)}`);
    const user = named(parsed);
    if (user.kind === 'none') return no('address', user.why);
    const { domain } = user.address;
    const of = (verdict: TokenVerdict): TokenVerdict => (verdict.kind === 'no' ? { ...verdict, domain } : verdict);
    const trusted = issuersOf(domain);
    const said = trusted.find(({ url }) => url === payload.iss);
    if (!said) return of(no('issuer', `${shown(payload.iss)} may not vouch for users of ${domain} (oauth.issuers)`));
    const refused = await verify(token, parsed, trusted, said.url);
    if (refused) return of(refused);
    const missing = settings
      .current()
      .get(tokenSettings.scopes, { domain })
      .filter((scope) => !scopesOf(payload).includes(scope));
    if (missing.length > 0)
      return of(no('scope', `it must have the scope ${missing[0]}: it has ${shown(scopesOf(payload).join(' '))}`));
    return { kind: 'yes', address: user.key, issuer: said.url };
  }

  return {
    isConfigured() {
      const snapshot = settings.current();
      return (
        snapshot.get(tokenSettings.issuers).length > 0 || (snapshot.isOverridden?.(tokenSettings.issuers) ?? false)
      );
    },
    read: decide,
    hint(domain) {
      const [first] = issuersOf(domain);
      if (!first) return {};
      const scope = settings.current().get(tokenSettings.scopes, domain === undefined ? undefined : { domain });
      const [configuration] = metadataUrls(first.url);
      return { configuration: configuration.href, ...(scope.length > 0 && { scope: scope.join(' ') }) };
    },
  };
}

function no(check: TokenCheck, why: string): TokenVerdict & { readonly kind: 'no' } {
  return { kind: 'no', check, why };
}

async function parse(token: string): Promise<Parsed | TokenVerdict> {
  if (token.length > TOKEN_CHARACTERS)
    return no('form', `it must have at most ${TOKEN_CHARACTERS} characters: it has ${token.length}`);
  const { decodeJwt, decodeProtectedHeader } = await import('jose');
  try {
    return { header: decodeProtectedHeader(token) as CompactJWSHeaderParameters, payload: decodeJwt(token) };
  } catch {
    return no('form', 'it must be a signed JWT (RFC 7519): opaque tokens cannot be verified here');
  }
}

/** The library's error, as one of our checks. */
function refusalOf(
  { code, claim, message }: Error & { code?: string; claim?: string },
  { payload }: Parsed,
): TokenVerdict {
  if (claim === 'exp' || claim === 'nbf')
    return no('time', `it is valid from ${moment(payload.nbf)} to ${moment(payload.exp)}`);
  if (claim === 'aud')
    return no('audience', `it is for ${shown(payload.aud)}, and none of these is an audience of oauth.issuers`);
  if (claim !== undefined) return no('issuer', `${claim}: ${message}`);
  if (code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') return no('signature', 'the key of that name did not sign it');
  return no('form', message);
}

function moment(seconds: unknown): string {
  const at = new Date(Number(seconds) * 1000);
  return seconds === undefined || Number.isNaN(at.getTime()) ? 'any time' : at.toISOString();
}
