/**
 * The values of postern.toml and of the environment: text in, typed value out.
 *
 * Each kind has a `must`, what a value must be, for the sentence of its error, and returns undefined where the text
 * is no such value.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { networkDoubt, networkMust } from '../../protocol/network/doubt.ts';
import { canonicalNetwork } from '../../protocol/network/network.ts';
import { endsInNumber, parseDomain } from '../../protocol/smtp/domain.ts';

export interface ValueKind<T> {
  /** Completes "it must be ...". */
  readonly must: string;
  /** A comma list in the environment, an array in postern.toml. */
  readonly list?: boolean;
  parse(text: string): T | undefined;
  /** For a rejected text: what this text in particular must be, where that explains more than `must`. */
  why?(text: string): string | undefined;
}

export interface SocketAddress {
  /** Textual IPv4 or IPv6, without brackets. */
  readonly address: string;
  readonly port: number;
}

/** `[2001:db8::1]:25` or `192.0.2.1:25`. Port 0 lets the system choose. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, Math.max(colon, 0));
  const digits = text.slice(colon + 1);
  const bracketed = host.startsWith('[') && host.endsWith(']');
  const address = bracketed ? host.slice(1, -1) : host;
  if (!(bracketed ? isIPv6(address) : isIPv4(address)) || !/^\d{1,5}$/.test(digits)) return undefined;
  const port = Number(digits);
  return port > 65_535 ? undefined : { address, port };
}

export function formatSocketAddress({ address, port }: SocketAddress): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `off` is an empty value: the listener is turned off. */
export const listenAddress: ValueKind<SocketAddress | 'off'> = {
  must: 'address:port (for example 0.0.0.0:25 or [::]:25), or empty to turn it off',
  parse: (text) => (text === '' ? 'off' : parseSocketAddress(text)),
};

export const serverAddresses: ValueKind<readonly SocketAddress[]> = {
  must: 'a list of address:port (for example 127.0.0.1:53)',
  list: true,
  parse: (text) =>
    every(text, (item) => {
      const server = parseSocketAddress(item);
      return server?.port === 0 ? undefined : server;
    }),
};

/** Prefix for a network that is too wide to be one's own, but is intended. */
const INSIST = 'force:';

export const networks: ValueKind<readonly string[]> = {
  must: 'a list of addresses or networks (for example 192.0.2.7, 10.0.0.0/8)',
  list: true,
  why: (text) => {
    const doubts = items(text).flatMap((item) => (item.startsWith(INSIST) ? [] : (networkDoubt(item) ?? [])));
    return doubts[0] && `${networkMust(doubts[0])} (${INSIST} before it takes it all the same)`;
  },
  parse: (text) => every(text, readNetwork),
};

export const hostName: ValueKind<string> = {
  must: 'a host name (for example mx.example.com)',
  parse(text) {
    const domain = parseDomain(text);
    return domain.ok && !endsInNumber(domain.value) ? domain.value : undefined;
  },
};

export const path: ValueKind<string> = {
  must: 'a path',
  parse: (text) => (text === '' || text.includes('\0') ? undefined : text),
};

export function oneOf<const C extends readonly string[]>(choices: C): ValueKind<C[number]> {
  return { must: `one of ${choices.join(', ')}`, parse: (text) => (choices.includes(text) ? text : undefined) };
}

/** In canonical spelling; a network that is probably a mistake only with the prefix. */
function readNetwork(text: string): string | undefined {
  const insists = text.startsWith(INSIST);
  const network = insists ? text.slice(INSIST.length) : text;
  if (!insists && networkDoubt(network)) return undefined;
  return canonicalNetwork(network);
}

function every<T>(text: string, parse: (item: string) => T | undefined): readonly T[] | undefined {
  const values = items(text).map(parse);
  return values.includes(undefined) ? undefined : (values as T[]);
}

function items(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
