/**
 * HELO: the name that this node sends to other servers (RFC 5321 4.1.1.1) must be a real one, and resolve to the
 * addresses that it sends from.
 */
import { parseDomain } from '../protocol/smtp/domain.ts';
import { textsOf } from './answers.ts';
import type { PostureContext } from './context.ts';
import { addressLine } from './mx.ts';
import { type About, good, type PostureResult, problem, unanswered } from './types.ts';
import { txtLine } from './zone-lines.ts';

const HELO = {
  notPublic: {
    code: 'not-public',
    severity: 'critical',
    why: 'Other servers refuse a greeting that is no public domain name (RFC 5321 2.3.5). Set POSTERN_HOSTNAME, or delivery.heloName.',
  },
  missing: {
    code: 'missing',
    severity: 'critical',
    why: 'Many servers refuse a greeting with a name that does not exist.',
  },
  otherAddress: {
    code: 'other-address',
    severity: 'important',
    why: 'A greeting with a name of other addresses looks forged, and costs reputation.',
  },
  noSpf: {
    code: 'no-spf',
    severity: 'advice',
    why: 'Reports to senders have no sender, so receivers ask SPF of this name instead (RFC 7208 2.4); and nobody else can greet with it then.',
  },
} as const;

/** Names that no other machine can resolve. */
const PRIVATE = /(^|\.)(localhost|localdomain|local|lan|internal|home|home\.arpa)$/;

export async function checkHelo({ resolver, node }: PostureContext): Promise<readonly PostureResult[]> {
  const name = node.heloName;
  const about: About = { test: 'helo', subject: name };
  if (!name.includes('.') || !parseDomain(name).ok || PRIVATE.test(name))
    return [problem(about, HELO.notPublic, `this node greets as ${name}`)];
  const answers = await Promise.all([resolver.resolve(name, 'A'), resolver.resolve(name, 'AAAA')]);
  const addresses = answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : []));
  const missing = node.sending.filter((address) => !addresses.includes(address));
  const publish = missing.map((address) => addressLine(name, address));
  const unknown = answers.find((answer) => answer.kind === 'unknown');
  if (unknown && (addresses.length === 0 || missing.length > 0)) return [unanswered(about, name, unknown)];
  if (addresses.length === 0) return [problem(about, HELO.missing, `${name} has neither A nor AAAA records`, publish)];
  const seen = `${name} has ${addresses.join(', ')}`;
  if (missing.length > 0)
    return [
      problem(about, HELO.otherAddress, `${seen}, but not ${missing.join(', ')}, which this node sends from`, publish),
    ];
  return [good(about, seen), ...(await checkSpf(about, resolver))];
}

/** Without a result if the DNS did not answer: it is only advice. */
async function checkSpf(about: About, resolver: PostureContext['resolver']): Promise<readonly PostureResult[]> {
  const answer = await textsOf(resolver, about.subject);
  if (answer.kind === 'unknown' || answer.texts.some((text) => /^v=spf1( |$)/i.test(text))) return [];
  const publish = [txtLine(about.subject, 'v=spf1 a -all')];
  return [problem(about, HELO.noSpf, `${about.subject} has no SPF record of its own`, publish)];
}
