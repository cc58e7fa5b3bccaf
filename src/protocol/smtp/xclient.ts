/**
 * XCLIENT (Postfix's XCLIENT_README): a trusted proxy names its client. LOGIN is deliberately not among the
 * attributes: a proxy cannot authenticate anybody. Null means that the proxy does not know the address; that differs
 * from an absent attribute.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { steers } from '../text/unsafe.ts';
import { type Parsed, parsed, problem } from './parsed.ts';
import { decodeXtext } from './xtext.ts';

export const XCLIENT_ATTRIBUTES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'DESTADDR', 'DESTPORT'] as const;

/** An attribute that is absent, or unknown to the proxy, is absent here. */
export interface XclientFacts {
  readonly name?: string;
  /** Null: unknown to the proxy. */
  readonly address?: string | null;
  readonly port?: number;
  readonly proto?: 'SMTP' | 'ESMTP';
  readonly helo?: string;
  readonly localAddress?: string;
  readonly localPort?: number;
}

export function parseXclient(argument: string): Parsed<XclientFacts> {
  const facts: { -readonly [K in keyof XclientFacts]: XclientFacts[K] } = {};
  for (const pair of argument.split(/ +/)) {
    const equals = pair.indexOf('=');
    const attribute = pair.slice(0, Math.max(equals, 0)).toUpperCase();
    const value = decodeXtext(pair.slice(equals + 1));
    if (!(XCLIENT_ATTRIBUTES as readonly string[]).includes(attribute) || !value)
      return problem('parameter', 'XCLIENT has an attribute that is not offered');
    if (value === '[UNAVAILABLE]' || value === '[TEMPUNAVAIL]') {
      if (attribute === 'ADDR') facts.address = null;
      continue;
    }
    const good = take(facts, attribute as (typeof XCLIENT_ATTRIBUTES)[number], value);
    if (!good) return problem('parameter', `the value of ${attribute} is not valid`);
  }
  return parsed(facts);
}

function take(
  facts: { -readonly [K in keyof XclientFacts]: XclientFacts[K] },
  attribute: (typeof XCLIENT_ATTRIBUTES)[number],
  value: string,
): boolean {
  switch (attribute) {
    case 'NAME':
      facts.name = value;
      return value.length <= 255 && !steers(value);
    case 'HELO':
      facts.helo = value;
      return value.length <= 255 && !steers(value);
    case 'ADDR':
      facts.address = parseClientAddress(value);
      return facts.address !== undefined;
    case 'DESTADDR':
      facts.localAddress = parseClientAddress(value);
      return facts.localAddress !== undefined;
    case 'PORT':
      facts.port = parsePort(value);
      return facts.port !== undefined;
    case 'DESTPORT':
      facts.localPort = parsePort(value);
      return facts.localPort !== undefined;
    case 'PROTO':
      facts.proto = value.toUpperCase() as 'SMTP' | 'ESMTP';
      return facts.proto === 'SMTP' || facts.proto === 'ESMTP';
  }
}

function parseClientAddress(value: string): string | undefined {
  const address = /^ipv6:/i.test(value) ? value.slice(5) : value;
  if (isIPv4(address)) return address;
  return isIPv6(address) && !address.includes('%') ? address.toLowerCase() : undefined;
}

function parsePort(value: string): number | undefined {
  return /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? Number(value) : undefined;
}
