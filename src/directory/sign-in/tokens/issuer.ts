/**
 * The keys of one issuer: found by its metadata (OpenID Connect Discovery 4, RFC 8414 3), cached, and fetched again
 * when they grow old or a token names one that is not among them.
 *
 * However many tokens come, and whatever their headers contain, an issuer is asked at most once a minute, and not at
 * all for a while once it failed. Meanwhile the cached keys count, but for no longer than a day. An outage is
 * reported once, and its end once. Never rejects.
 */
import type { CryptoKey, JSONWebKeySet, JWSHeaderParameters } from 'jose';
import type { Events } from '../../../world/events.ts';
import { type Fetched, type FetchServices, fetchJson } from './fetch-json.ts';
import { FRESH_MS, KEYS_OF_ONE, RETRY_MS, ROTATION_MS, SHOWN_CHARACTERS, STALE_MS } from './limits.ts';

export type KeyAnswer =
  | { readonly kind: 'key'; readonly key: CryptoKey }
  /** The issuer has no such key. */
  | { readonly kind: 'none' }
  | { readonly kind: 'cannot-tell'; readonly reason: string };

export interface Issuer {
  keyFor(header: JWSHeaderParameters): Promise<KeyAnswer>;
}

export interface IssuerServices extends FetchServices {
  readonly events: Events;
}

type Select = (header: JWSHeaderParameters) => Promise<CryptoKey>;

export function createIssuer(url: string, trust: string, services: IssuerServices): Issuer {
  const { clock, events } = services;
  let known: { readonly select: Select; readonly fetchedAt: number } | undefined;
  let failed: { readonly at: number; readonly reason: string } | undefined;
  let underWay: Promise<void> | undefined;

  const ageMs = (): number => (known ? clock.monotonic() - known.fetchedAt : Number.POSITIVE_INFINITY);

  async function fetchKeys(): Promise<void> {
    try {
      const { createLocalJWKSet } = await import('jose');
      const select = createLocalJWKSet(await fetchKeySet(url, trust, services));
      known = { select, fetchedAt: clock.monotonic() };
      if (failed) events.emit('token.issuer-recovered', { issuer: url });
      failed = undefined;
    } catch (error) {
      const reason = reasonOf(error as Error);
      if (!failed) events.emit('token.issuer-down', { issuer: url, reason });
      failed = { at: clock.monotonic(), reason };
    }
  }

  /** All who need it await the same one. */
  async function renew(): Promise<void> {
    if (failed && clock.monotonic() - failed.at < RETRY_MS) return;
    underWay ??= fetchKeys().finally(() => {
      underWay = undefined;
    });
    await underWay;
  }

  const cannotTell = (): KeyAnswer => ({ kind: 'cannot-tell', reason: failed?.reason ?? 'the keys are too old' });

  return {
    async keyFor(header) {
      if (ageMs() >= FRESH_MS) await renew();
      if (!known || ageMs() >= STALE_MS) return cannotTell();
      const first = await selectKey(known.select, header);
      if (first.kind === 'key' || ageMs() < ROTATION_MS) return first;
      const before = known;
      await renew();
      // It may have a new key, but it cannot be asked.
      return known === before ? cannotTell() : selectKey(known.select, header);
    },
  };
}

/** By `kid`, `alg` and kind of key only: other header values (`jku`, `x5u`, `jwk`) are ignored. */
async function selectKey(select: Select, header: JWSHeaderParameters): Promise<KeyAnswer> {
  try {
    return {
      kind: 'key',
      key: await select({ alg: header.alg, ...(header.kid !== undefined && { kid: header.kid }) }),
    };
  } catch {
    return { kind: 'none' };
  }
}

async function fetchKeySet(url: string, trust: string, services: FetchServices): Promise<JSONWebKeySet> {
  const metadata = await fetchMetadata(url, trust, services);
  // OpenID Connect Discovery 4.3, RFC 8414 3.3: or one issuer could act for another.
  if (metadata['issuer'] !== url)
    throw new Error(`its metadata is that of another issuer: ${String(metadata['issuer']).slice(0, SHOWN_CHARACTERS)}`);
  const place = metadata['jwks_uri'];
  if (typeof place !== 'string' || !place.startsWith('https://') || !URL.canParse(place))
    throw new Error('its metadata has no https jwks_uri');
  const keysUrl = new URL(place);
  const hostsFile = keysUrl.hostname === new URL(url).hostname;
  const { keys } = wanted(await fetchJson(keysUrl, { trust, hostsFile }, services), keysUrl);
  if (!Array.isArray(keys) || keys.length > KEYS_OF_ONE) throw new Error('its key set is none');
  return { keys: keys.filter((key) => typeof key === 'object' && key !== null) };
}

async function fetchMetadata(url: string, trust: string, services: FetchServices): Promise<Fetched['body']> {
  const [openId, oauth] = metadataUrls(url);
  const first = await fetchJson(openId, { trust, hostsFile: true }, services);
  if (first.status !== 404) return wanted(first, openId);
  return wanted(await fetchJson(oauth, { trust, hostsFile: true }, services), oauth);
}

/** OpenID Connect Discovery 4 appends; RFC 8414 3.1 inserts its name before the path. */
export function metadataUrls(url: string): readonly [openId: URL, oauth: URL] {
  const { origin, pathname } = new URL(url);
  const path = pathname.replace(/\/$/, '');
  return [
    new URL(`${origin}${path}/.well-known/openid-configuration`),
    new URL(`${origin}/.well-known/oauth-authorization-server${path}`),
  ];
}

function wanted({ status, body }: Fetched, { href }: URL): Fetched['body'] {
  if (status !== 200) throw new Error(`${href} answers ${status}`);
  return body;
}

function reasonOf(error: Error): string {
  return (error.message || (error as NodeJS.ErrnoException).code || error.name).slice(0, SHOWN_CHARACTERS);
}
