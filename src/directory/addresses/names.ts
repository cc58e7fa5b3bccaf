/** Names as administrators type them: checked, and converted to the one form that is stored. */
import { isIPv6 } from 'node:net';
import type { Address } from '../../model/address.ts';
import { OperationalError } from '../../model/errors.ts';
import { looksLikeRelay, parseAddress } from '../../protocol/smtp/address.ts';
import { endsInNumber, parseDomain } from '../../protocol/smtp/domain.ts';

/** Errors: OperationalError `directory.invalid`. */
export function domainName(text: string): string {
  const domain = parseDomain(text.trim());
  if (domain.ok) return domain.value;
  throw invalid('use the domain', 'a domain name (for example example.com)', text);
}

/** A name that may be added; for an existing one use `domainName`. */
export function newDomainName(text: string): string {
  const name = domainName(text);
  if (!endsInNumber(name)) return name;
  throw invalid('use the domain', 'a domain name (for example example.com), not an address', text);
}

/** Any address that mail can be sent to. */
export function anyAddress(text: string): Address {
  const address = parseAddress(text.trim());
  if (address.ok) return address.value;
  throw invalid('use the address', 'an address (for example alice@example.com)', text);
}

/** An address that may exist here: `%`, `!` and a quoted `@` would make it look like relaying. */
export function localAddress(text: string): Address {
  const address = anyAddress(text);
  if (!looksLikeRelay(address) && !address.domain.startsWith('[')) return address;
  throw invalid('use the address', 'one without %, ! or @ in its local part, at a domain name', text);
}

export interface ServerName {
  readonly host: string;
  readonly port: number;
}

const SMTP_PORT = 25;

/** `host`, `host:port`, `192.0.2.1:25`, `[2001:db8::1]:25`; default port 25. */
export function serverName(text: string): ServerName {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text.trim());
  const host = match && (match[1] ?? match[2]!);
  const port = Number(match?.[3] ?? SMTP_PORT);
  if (host && port >= 1 && port <= 65_535 && (match[1] ? isIPv6(host) : parseDomain(host).ok))
    return { host: host.toLowerCase(), port };
  throw invalid('use the server', 'host, host:port, address:port or [IPv6]:port', text);
}

function invalid(what: string, must: string, current: string): OperationalError {
  return new OperationalError(
    'directory.invalid',
    `cannot ${what}, as it must be ${must}: current value is ${current || 'empty'}`,
  );
}
