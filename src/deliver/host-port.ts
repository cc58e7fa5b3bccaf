/** `host`, `host:port`, `[IPv6]:port`, as operators write the address of a server. */
import { isIPv6 } from 'node:net';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export function parseHostPort(text: string, defaultPort: number): HostPort | undefined {
  if (isIPv6(text)) return { host: text, port: defaultPort };
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const [, literal, name, digits] = match;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (port < 1 || port > 65_535 || (literal !== undefined && !isIPv6(literal))) return undefined;
  return { host: literal ?? name!.toLowerCase(), port };
}
