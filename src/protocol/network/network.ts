/**
 * Networks as operators type them: text to the bits that count, and back to the one spelling that is stored and
 * compared. Never throws: text that is no network is undefined.
 */
import ipaddr from 'ipaddr.js';
import { readWords, words } from './address-words.ts';
import { NETWORKS_OF_ONE } from './limits.ts';

export interface Network {
  readonly bits: 32 | 128;
  readonly prefix: number;
  /** The address's bits before the prefix's end. */
  readonly key: bigint;
}

/**
 * `192.0.2.1`, `192.0.2.0/24` (bits after the prefix do not count), `2001:db8::/32`, and for IPv4 the wildcards `*`
 * (anything) and `?` (one digit): `10.1.*.*`, `192.0.2.1?`. Undefined: none of these.
 */
export function parseNetworks(text: string): readonly Network[] | undefined {
  const [address = '', length, ...rest] = text.trim().split('/');
  if (rest.length > 0) return undefined;
  if (/[*?]/.test(address)) return length === undefined ? expand(address) : undefined;
  const width = readWords(address);
  if (width === 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return undefined;
  // RFC 4291 2.5.5.2: IPv4 in IPv6 form.
  const isMapped = width === 4 && words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  const bits = width === 1 || isMapped ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length) - (isMapped ? 96 : 0);
  if (prefix < 0 || prefix > bits) return undefined;
  return [{ bits, prefix, key: bitsRead(width, bits) >> BigInt(bits - prefix) }];
}

/** Of the address that was read last. */
function bitsRead(width: 1 | 4, bits: 32 | 128): bigint {
  if (width === 1) return BigInt(words[0]!);
  if (bits === 32) return BigInt(words[3]!);
  let value = 0n;
  for (const word of words) value = (value << 32n) | BigInt(word);
  return value;
}

/** The one spelling of a network: masked, compressed. Wildcards stay, except those that are a prefix. */
export function canonicalNetwork(text: string): string | undefined {
  const networks = parseNetworks(text);
  if (!networks) return undefined;
  if (networks.length > 1) return text.trim();
  const [{ bits, prefix, key }] = networks as [Network];
  const value = key << BigInt(bits - prefix);
  const bytes = Array.from({ length: bits / 8 }, (_, i) => Number((value >> BigInt(bits - 8 * (i + 1))) & 255n));
  const address = ipaddr.fromByteArray(bytes).toString();
  return prefix === bits ? address : `${address}/${prefix}`;
}

/** Trailing `*` are a prefix; every other wildcard stands for the numbers that match it. */
function expand(address: string): readonly Network[] | undefined {
  const octets = address.split('.');
  if (octets.length !== 4 || !octets.every((octet) => /^[\d*?]{1,3}$/.test(octet))) return undefined;
  let used = 4;
  while (used > 0 && octets[used - 1] === '*') used--;
  let keys: bigint[] = [0n];
  for (const octet of octets.slice(0, used)) {
    const pattern = new RegExp(`^${octet.replaceAll('?', '\\d').replaceAll('*', '\\d*')}$`);
    const values = Array.from({ length: 256 }, (_, value) => value).filter((value) => pattern.test(String(value)));
    if (values.length === 0 || keys.length * values.length > NETWORKS_OF_ONE) return undefined;
    keys = keys.flatMap((key) => values.map((value) => (key << 8n) | BigInt(value)));
  }
  return keys.map((key) => ({ bits: 32, prefix: used * 8, key }));
}
