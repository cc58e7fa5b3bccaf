/**
 * The name servers a stub asks, the best first.
 *
 * Each has a smoothed response time, in which a time-out counts as the time it cost. The figure halves every minute,
 * so that a server that was slow or dead is tried again. Servers come from the operator, else from resolv.conf, which
 * is checked for changes.
 */
import { isIP } from 'node:net';
import { networksOf } from '../../protocol/network/table.ts';
import type { Clock } from '../clock.ts';
import { DNS_LIMITS } from '../limits.ts';
import { rereadFile } from '../reread.ts';

export interface ServerAddress {
  readonly address: string;
  readonly port: number;
}

export interface Server extends ServerAddress {
  /** Its AD bit counts. */
  readonly trusted: boolean;
  /** False for a while once it answered without EDNS a question that it refused with EDNS (RFC 6891 7). */
  usesEdns(): boolean;
  refusedEdns(): void;
  answered(tookMs: number): void;
  silent(waitedMs: number): void;
  /** How long to wait before another server is asked too. */
  patienceMs(): number;
}

export interface Servers {
  inOrder(): readonly Server[];
}

const DNS_PORT = 53;
const HALF_LIFE_MS = 60_000;
/** Weight of the newest answer in the smoothed time. */
const NEWEST = 0.3;
/** Below this, differences of time are noise. */
const BAND_MS = 20;

export function fixedServers(addresses: readonly ServerAddress[], trusted: readonly string[], clock: Clock): Servers {
  const servers = addresses.slice(0, DNS_LIMITS.servers).map((address) => createServer(address, trusted, clock));
  return { inOrder: () => ordered(servers) };
}

export function systemServers(path: string, trusted: readonly string[], clock: Clock): Servers {
  const read = rereadFile(path, clock, (text) =>
    parseResolvConf(text).map((address) => createServer({ address, port: DNS_PORT }, trusted, clock)),
  );
  return { inOrder: () => ordered(read()) };
}

/** resolv.conf(5): only `nameserver` lines matter for absolute names; none at all means the local machine. */
export function parseResolvConf(text: string): readonly string[] {
  const found = [...text.matchAll(/^nameserver[ \t]+(\S+)/gm)].map(([, address]) => address!);
  const usable = found.filter((address) => isIP(address)).slice(0, DNS_LIMITS.servers);
  return usable.length > 0 ? usable : ['127.0.0.1'];
}

/**
 * AD is the resolver's word, unprotected on the way: it counts from this machine, or from an address that the
 * operator configured as trusted. Docker's 127.0.0.11 only forwards answers of the network.
 */
export function isTrusted(address: string, trusted: readonly string[]): boolean {
  if (networksOf(trusted).find(address)) return true;
  return address === '::1' || (address.startsWith('127.') && address !== '127.0.0.11');
}

interface Timed extends Server {
  /** Smoothed milliseconds, decayed to now; 0: never asked. */
  score(): number;
}

function createServer({ address, port }: ServerAddress, trustedAddresses: readonly string[], clock: Clock): Timed {
  const { first, least, most } = DNS_LIMITS.patienceMs;
  let smoothedMs = 0;
  let measuredAt = 0;
  let withoutEdnsUntil = 0;
  const score = (): number => smoothedMs * 0.5 ** ((clock.monotonic() - measuredAt) / HALF_LIFE_MS);
  const measured = (ms: number): void => {
    measuredAt = clock.monotonic();
    smoothedMs = ms;
  };
  return {
    address,
    port,
    trusted: isTrusted(address, trustedAddresses),
    usesEdns: () => clock.monotonic() >= withoutEdnsUntil,
    refusedEdns() {
      withoutEdnsUntil = clock.monotonic() + DNS_LIMITS.withoutEdnsMs;
    },
    score,
    answered(tookMs) {
      const known = score();
      measured(known === 0 ? tookMs : known + NEWEST * (tookMs - known));
    },
    // Twice the time it cost, so that a dead server goes behind a slow one at once.
    silent: (waitedMs) => measured(Math.max(score(), 2 * waitedMs)),
    patienceMs() {
      return smoothedMs === 0 ? first : Math.min(Math.max(3 * score(), least), most);
    },
  };
}

/** The operator's order breaks ties: servers within one band count as equal. */
function ordered(servers: readonly Timed[]): readonly Server[] {
  if (servers.length < 2) return servers;
  return servers
    .map((server) => ({ server, band: Math.ceil(Math.log2(1 + server.score() / BAND_MS)) }))
    .sort((a, b) => a.band - b.band)
    .map(({ server }) => server);
}
