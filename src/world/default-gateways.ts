/**
 * The addresses of this machine's default gateways. In a container, a connection from a gateway has lost its own
 * client address. Linux lists them in /proc; on other systems none are known.
 */
import { readFileSync } from 'node:fs';

export function defaultGateways(read: (path: string) => string = readText): readonly string[] {
  const four = rows(read('/proc/net/route'))
    .filter(([, destination, gateway]) => destination === '00000000' && /^[0-9A-F]{8}$/.test(gateway ?? ''))
    .map(([, , gateway]) => [...Buffer.from(gateway!, 'hex')].reverse().join('.'));
  const six = rows(read('/proc/net/ipv6_route'))
    .filter(
      ([destination, length, , , gateway]) =>
        /^0{32}$/.test(destination ?? '') && length === '00' && /^[0-9a-f]{32}$/.test(gateway ?? ''),
    )
    .map((row) => new URL(`http://[${row[4]!.match(/.{4}/g)!.join(':')}]`).hostname.slice(1, -1));
  return [...new Set([...four, ...six])].filter((address) => address !== '0.0.0.0' && address !== '::');
}

function rows(text: string): string[][] {
  return text.split('\n').map((line) => line.trim().split(/\s+/));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
