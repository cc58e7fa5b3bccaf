/** The certificate that this node presents: its names, and how long it is valid. */
import { X509Certificate } from 'node:crypto';
import type { PostureContext } from './context.ts';
import { type About, cannotTell, good, type PostureResult, problem } from './types.ts';

const DAY_MS = 86_400_000;
/** A certificate of 90 days is renewed 30 days before its end: less means that renewal has failed. */
const SOON_DAYS = 14;

const CERTIFICATE = {
  expired: {
    code: 'expired',
    severity: 'critical',
    why: 'Mail programs refuse to connect, and servers that verify do not deliver.',
  },
  notYet: {
    code: 'not-yet-valid',
    severity: 'critical',
    why: 'Mail programs refuse to connect until then. Check the clock of this machine.',
  },
  expiresSoon: { code: 'expires-soon', severity: 'important', why: 'Renew it before its end.' },
  otherName: {
    code: 'other-name',
    severity: 'important',
    why: 'Servers that verify (MTA-STS, DANE by name) do not deliver, and mail programs warn.',
  },
  selfSigned: {
    code: 'self-signed',
    severity: 'advice',
    why: 'Servers encrypt with it all the same; mail programs warn, and MTA-STS is not possible. Get one from a certificate authority and name it in POSTERN_TLS_CERTIFICATE and POSTERN_TLS_KEY.',
  },
} as const;

/** `pem`: the leaf first; undefined if there is none to read. `now`: milliseconds since the epoch. */
export function checkCertificate(
  pem: string | undefined,
  now: number,
  { node }: PostureContext,
): readonly PostureResult[] {
  const about: About = { test: 'certificate', subject: node.hostname };
  const leaf = read(pem);
  if (!leaf)
    return [cannotTell(about, 'the certificate of this node cannot be read', 'Check the files of the certificate.')];
  const until = Date.parse(leaf.validTo);
  const seen = `valid until ${new Date(until).toISOString().slice(0, 10)} for ${leaf.subjectAltName ?? leaf.subject}`;
  if (until <= now) return [problem(about, CERTIFICATE.expired, seen)];
  if (Date.parse(leaf.validFrom) > now)
    return [problem(about, CERTIFICATE.notYet, `valid only from ${leaf.validFrom}`)];
  if (leaf.checkHost(node.hostname, { subject: 'never' }) === undefined)
    return [problem(about, CERTIFICATE.otherName, seen)];
  if (until - now < SOON_DAYS * DAY_MS) return [problem(about, CERTIFICATE.expiresSoon, seen)];
  if (leaf.checkIssued(leaf)) return [problem(about, CERTIFICATE.selfSigned, `${seen}, signed by itself`)];
  return [good(about, seen)];
}

function read(pem: string | undefined): X509Certificate | undefined {
  try {
    return pem === undefined ? undefined : new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
