/** The reply to EHLO (RFC 5321 4.1.1.1): the peer's extensions. Unknown keywords are kept, malformed ones ignored. */
import type { Reply } from './types.ts';

/** RFC 9422. Absent: the peer names no such limit. */
export interface PeerLimits {
  readonly mailMax?: number;
  readonly rcptMax?: number;
  readonly rcptDomainMax?: number;
}

export interface PeerExtensions {
  /** The peer's own name in its first line. */
  readonly name: string;
  readonly pipelining: boolean;
  readonly eightBitMime: boolean;
  readonly binaryMime: boolean;
  readonly chunking: boolean;
  readonly smtputf8: boolean;
  readonly dsn: boolean;
  readonly startTls: boolean;
  readonly enhancedStatusCodes: boolean;
  /** Present when SIZE is offered; `limitBytes` when it is a limit (RFC 1870 4: 0 is none). */
  readonly size?: { readonly limitBytes?: number };
  /** Mechanism names in upper case. */
  readonly auth: readonly string[];
  readonly limits: PeerLimits;
  /** Every keyword in upper case with its parameters. */
  readonly keywords: ReadonlyMap<string, readonly string[]>;
}

export function parseEhloReply(reply: Reply): PeerExtensions {
  const [first = '', ...rest] = typeof reply.text === 'string' ? [reply.text] : reply.text;
  const keywords = new Map<string, string[]>();
  for (const line of rest) {
    // "AUTH=LOGIN PLAIN" is the form of servers before RFC 4954.
    const [keyword = '', ...parameters] = line
      .trim()
      .replace(/^AUTH=/i, 'AUTH ')
      .split(/ +/);
    const name = keyword.toUpperCase();
    if (!/^[A-Z0-9][A-Z0-9-]*$/.test(name)) continue;
    const known = keywords.get(name);
    if (!known) keywords.set(name, parameters);
    else for (const parameter of parameters) known.push(parameter);
  }
  const size = keywords.get('SIZE');
  const limitBytes = decimal(size?.[0]);
  return {
    name: first.trim().split(' ', 1)[0]!,
    pipelining: keywords.has('PIPELINING'),
    eightBitMime: keywords.has('8BITMIME'),
    binaryMime: keywords.has('BINARYMIME'),
    chunking: keywords.has('CHUNKING'),
    smtputf8: keywords.has('SMTPUTF8'),
    dsn: keywords.has('DSN'),
    startTls: keywords.has('STARTTLS'),
    enhancedStatusCodes: keywords.has('ENHANCEDSTATUSCODES'),
    ...(size ? { size: limitBytes ? { limitBytes } : {} } : {}),
    auth: (keywords.get('AUTH') ?? []).map((mechanism) => mechanism.toUpperCase()),
    limits: parseLimits(keywords.get('LIMITS') ?? []),
    keywords,
  };
}

/** RFC 9422 4: `NAME=value` pairs; a limit of zero or no number is ignored. */
function parseLimits(pairs: readonly string[]): PeerLimits {
  const values = new Map<string, string | undefined>();
  for (const pair of pairs) {
    const [name = '', value] = pair.toUpperCase().split('=', 2);
    values.set(name, value);
  }
  const limit = (name: string): number | undefined => decimal(values.get(name)) || undefined;
  const mailMax = limit('MAILMAX');
  const rcptMax = limit('RCPTMAX');
  const rcptDomainMax = limit('RCPTDOMAINMAX');
  return {
    ...(mailMax ? { mailMax } : {}),
    ...(rcptMax ? { rcptMax } : {}),
    ...(rcptDomainMax ? { rcptDomainMax } : {}),
  };
}

function decimal(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
