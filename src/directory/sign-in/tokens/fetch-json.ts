/**
 * One JSON document over HTTPS, from a server that proved its name: bounded in time and size, no redirect followed.
 * Rejects with a plain Error with the reason.
 */
import { request } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Clock } from '../../../world/clock.ts';
import type { ResolveHost } from '../../../world/hosts-file.ts';
import { verifiedTls } from '../../sources/tls.ts';
import { DOCUMENT_BYTES, FETCH_MS } from './limits.ts';

export interface FetchServices {
  readonly clock: Clock;
  readonly resolveHost: ResolveHost;
}

export interface Fetched {
  readonly status: number;
  /** Empty unless the status is 200. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** `trust`: PEM, or empty for the public authorities; `hostsFile`: the operator named this host. */
export function fetchJson(
  url: URL,
  { trust, hostsFile }: { readonly trust: string; readonly hostsFile: boolean },
  { clock, resolveHost }: FetchServices,
): Promise<Fetched> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const answered = Promise.withResolvers<Fetched>();
  const sent = request(url, {
    ...verifiedTls(host, trust),
    lookup: lookupBy(resolveHost, hostsFile),
    agent: false,
    headers: { accept: 'application/json' },
  });
  const timer = clock.after(FETCH_MS, () => sent.destroy(new Error(`no answer within ${FETCH_MS / 1000} seconds`)));
  sent.on('error', answered.reject).on('response', (response) => {
    const chunks: Buffer[] = [];
    let octets = 0;
    response
      .on('data', (chunk: Buffer) => {
        octets += chunk.length;
        if (octets > DOCUMENT_BYTES) sent.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      })
      .on('error', answered.reject)
      .on('end', () => {
        try {
          const status = response.statusCode ?? 0;
          answered.resolve({ status, body: status === 200 ? objectOf(Buffer.concat(chunks).toString('utf8')) : {} });
        } catch (error) {
          answered.reject(error);
        }
      });
  });
  sent.end();
  return answered.promise.finally(() => {
    timer.cancel();
    sent.destroy();
  });
}

function objectOf(json: string): Fetched['body'] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new Error('the answer is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('the answer is no object');
  return value as Fetched['body'];
}

/** Names resolved as in the rest of the node. */
function lookupBy(resolveHost: ResolveHost, hostsFile: boolean): LookupFunction {
  return (name, { all }, done) => {
    resolveHost(name, { hostsFile }).then(
      (answer) => {
        if (answer.kind !== 'found')
          return done(new Error(answer.kind === 'none' ? `${name} has no address` : answer.reason), '');
        const addresses = answer.addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
        if (all) return done(null, addresses);
        return done(null, addresses[0]!.address, addresses[0]!.family);
      },
      (error: Error) => done(error, ''),
    );
  };
}
