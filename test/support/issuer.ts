/**
 * An issuer of tokens as on the Internet: real TLS, metadata, a key set, and tokens signed by its keys; all of it can
 * be changed while it runs, and it counts its requests.
 */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { systemClock } from '../../src/world/clock.ts';
import { selfSigned } from '../../src/world/self-signed.ts';

/** All stand-ins share it, as real issuers share public authorities. */
const PAIR = await selfSigned('127.0.0.1', systemClock);
/** The value of `oauth.trust` in tests. */
export const ISSUER_CERTIFICATE = PAIR.certificate;

export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

export interface TestIssuer {
  readonly url: string;
  readonly key: IssuerKey;
  /** The keys that it publishes. */
  keys: JWK[];
  /** In place of the usual answer for a path; undefined: as usual. `null`: it never answers. */
  answer: (path: string) => { readonly status: number; readonly body: string } | null | undefined;
  /** Paths asked for. */
  readonly asked: string[];
  token(
    claims?: Readonly<Record<string, unknown>>,
    header?: Partial<JWTHeaderParameters>,
    key?: IssuerKey,
  ): Promise<string>;
}

export const AUDIENCE = 'postern-client';

export async function issuerKey(kid: string, alg = 'RS256'): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** `path`: of an issuer that shares its host; `now`: milliseconds since the epoch. */
export async function startIssuer(
  t: Pick<TestContext, 'after'>,
  { path = '', now = systemClock.now }: { readonly path?: string; readonly now?: () => number } = {},
): Promise<TestIssuer> {
  const key = await issuerKey('first');
  const asked: string[] = [];
  const server = createServer({ key: PAIR.key, cert: PAIR.certificate }, (request, response) => {
    const said = request.url ?? '';
    asked.push(said);
    const answer = issuer.answer(said);
    if (answer === null) return;
    const usual = documents()[said];
    const { status, body } =
      answer ?? (usual ? { status: 200, body: JSON.stringify(usual) } : { status: 404, body: '' });
    response.writeHead(status, { 'content-type': 'application/json', location: '/elsewhere' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `${origin}${path}`;
  const documents = (): Record<string, unknown> => ({
    [`${path}/.well-known/openid-configuration`]: { issuer: url, jwks_uri: `${url}/keys` },
    [`${path}/keys`]: { keys: issuer.keys },
  });
  const issuer: TestIssuer = {
    url,
    key,
    keys: [key.jwk],
    answer: () => undefined,
    asked,
    token(claims = {}, header = {}, by = key) {
      const seconds = Math.floor(now() / 1000);
      const usual = { iss: url, aud: AUDIENCE, exp: seconds + 600, email: 'alice@example.com', email_verified: true };
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: by.alg, kid: by.kid, typ: 'JWT', ...header })
        .sign(by.privateKey);
    },
  };
  return issuer;
}
