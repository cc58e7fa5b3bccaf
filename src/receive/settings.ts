/** Settings of receiving mail, and their values as sessions read them. */
import type { ListenerProfile } from '../model/session.ts';
import { smtpSettings as screenedSettings } from '../screen/settings.ts';
import type { SettingsSnapshot } from '../settings/contract.ts';
import { amount, choice, count, defineSettings, flag } from '../settings/define.ts';

const MINUTE_MS = 60_000;

export const smtpSettings = defineSettings('smtp', {
  maxRecipients: count(
    1000,
    { min: 100, max: 100_000 },
    'Recipients of one message; more get 452 4.5.3 and the sender sends them a second copy. RFC 5321 asks for at least 100.',
  ),
  maxMessagesPerSession: count(
    10_000,
    { min: 1, max: 1_000_000 },
    'Messages on one connection, after which it is ended with 421. Announced by `LIMITS MAILMAX`.',
  ),
  maxCommandLineBytes: amount(
    4096,
    'bytes',
    { min: 1024, max: 65_536 },
    'The longest command line, CRLF and all; a longer one gets 500 5.5.2. RFC 5321 and its extensions need about 2,000.',
  ),
  maxErrors: count(
    20,
    { min: 1, max: 1000 },
    'Malformed, unknown or misplaced commands in one session, after which it is ended with 421 4.7.0.',
  ),
  maxIdleCommands: count(
    100,
    { min: 10, max: 10_000 },
    'Commands that bring no mail forward (NOOP, RSET, VRFY, HELP, EHLO, XCLIENT, a MAIL that is refused, DATA without recipients, an empty chunk) between two messages, after which the session is ended with 421 4.7.0.',
  ),
  maxRefusedRecipients: count(
    100,
    { min: 5, max: 100_000 },
    'Recipients refused in one session, after which it is ended with 421 4.7.0: whoever guesses addresses must come again.',
  ),
  maxConnections: count(
    20_000,
    { min: 10, max: 1_000_000 },
    'Connections at a time over all SMTP listeners; more get 421 4.3.2. The system must allow as many open files.',
  ),
  maxConnectionsPerNetwork: count(
    50,
    { min: 1, max: 1_000_000 },
    'Connections at a time from one IPv4 address or one IPv6 /64; more get 421 4.7.0. This machine itself (loopback) is not counted. Once half of `smtp.maxConnections` are taken, an IPv4 /24 or IPv6 /48 has a sixteenth of them at the most, a /16 or /32 a quarter.',
  ),
  commandTimeoutMs: amount(
    5 * MINUTE_MS,
    'ms',
    { min: 10_000, max: 60 * MINUTE_MS },
    'How long a client may take for its next whole command (RFC 5321 4.5.3.2.7: 5 minutes).',
  ),
  dataTimeoutMs: amount(
    3 * MINUTE_MS,
    'ms',
    { min: 10_000, max: 60 * MINUTE_MS },
    'How long a client may send nothing in the middle of a message (RFC 5321 4.5.3.2.5: 3 minutes).',
  ),
  messageTimeoutMs: amount(
    60 * MINUTE_MS,
    'ms',
    { min: MINUTE_MS, max: 24 * 60 * MINUTE_MS },
    'How long the content of one message may take in all, however steadily it trickles.',
  ),
  sessionTimeoutMs: amount(
    4 * 60 * MINUTE_MS,
    'ms',
    { min: MINUTE_MS, max: 7 * 24 * 60 * MINUTE_MS },
    'How long one connection may last in all.',
  ),
  stalledOutputTimeoutMs: amount(
    2 * MINUTE_MS,
    'ms',
    { min: 10_000, max: 60 * MINUTE_MS },
    'How long a client may leave our replies unread before it is cut off.',
  ),
  bareNewlines: choice(
    ['refuse', 'normalise'],
    'refuse',
    'What happens to a message with a bare CR or bare LF, which RFC 5321 forbids and SMTP smuggling lives on: `refuse` it with 554 5.6.0, or `normalise` each to CRLF (recorded; breaks signatures). Only CRLF.CRLF ends a message either way.',
  ),
  nulCharacters: choice(
    ['refuse', 'accept'],
    'refuse',
    'What happens to a message with a NUL, which RFC 5322 and MIME forbid outside of binary content, and which readers cut a line at or skip, each its own way: `refuse` it with 554 5.6.0, or `accept` it as it is (recorded). The body of a BINARYMIME message may have them either way, its header may not.',
  ),
  earlyTalk: choice(
    ['refuse', 'ignore'],
    'refuse',
    'What happens to a client that speaks before it is greeted, as no mail server does: `refuse` it with 554 5.5.1, or `ignore` that.',
  ),
  authOnMx: flag(
    false,
    'Offer AUTH on port 25 too. Port 25 is for servers; users submit on 465 and 587. Turn it on only for devices or servers of yours that can sign in nowhere else.',
  ),
  authRequiresTls: flag(
    true,
    'AUTH needs an encrypted connection. Off: passwords may cross the network in clear, for whoever listens.',
  ),
  maxAuthFailures: count(
    3,
    { min: 1, max: 100 },
    'Failed sign-ins in one session, after which it is ended with 421 4.7.0.',
  ),
  maxAuthFailuresPerNetwork: count(
    50,
    { min: 5, max: 1_000_000 },
    'Failed sign-ins from one IPv4 address or one IPv6 /64 within ten minutes (from one IPv6 /48, four times as many); beyond it AUTH is answered 454 4.7.0 until the window ends, and no password is looked at.',
  ),
  authFailureFloorMs: amount(
    1500,
    'ms',
    { min: 0, max: 30_000 },
    'How long a failed sign-in takes at least, so that its time does not tell whether the account exists. What takes longer is rounded up to a multiple of it.',
  ),
  greetingPauseMs: amount(
    0,
    'ms',
    { min: 0, max: 30_000 },
    'A pause before the greeting for clients that have not delivered a message since this node started; spam software often does not wait. 0: no pause.',
  ),
});

export const receiveSettings = defineSettings('receive', {
  splitPolicies: flag(
    false,
    'Let one message have recipients of domains with equal settings only: others get 452 4.5.3 and come in a copy of their own, so that each can be refused by its own domain’s settings. Announced by `LIMITS RCPTDOMAINMAX=1`.',
  ),
});

/** All values that a session uses; read once at its start. */
export interface SmtpPolicy {
  /** The global bound: a domain can only lower it for its own mail. */
  readonly maxMessageBytes: number;
  readonly maxRecipients: number;
  readonly maxMessagesPerSession: number;
  readonly maxCommandLineBytes: number;
  readonly maxErrors: number;
  readonly maxIdleCommands: number;
  readonly maxRefusedRecipients: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerNetwork: number;
  readonly commandTimeoutMs: number;
  readonly dataTimeoutMs: number;
  readonly messageTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly stalledOutputTimeoutMs: number;
  readonly bareNewlines: 'refuse' | 'normalise';
  readonly nulCharacters: 'refuse' | 'accept';
  readonly earlyTalk: 'refuse' | 'ignore';
  readonly authOnMx: boolean;
  readonly authRequiresTls: boolean;
  readonly maxAuthFailures: number;
  readonly maxAuthFailuresPerNetwork: number;
  readonly authFailureFloorMs: number;
  readonly greetingPauseMs: number;
  readonly splitPolicies: boolean;
}

/** Users submit on 587 and 465; port 25 is for servers. */
export function offersAuth(profile: ListenerProfile, policy: SmtpPolicy): boolean {
  return profile !== 'mx' || policy.authOnMx;
}

export function readPolicy(snapshot: SettingsSnapshot): SmtpPolicy {
  const entries = Object.entries(smtpSettings).map(([name, setting]) => [name, snapshot.get<unknown>(setting)]);
  return {
    ...Object.fromEntries(entries),
    maxMessageBytes: snapshot.get(screenedSettings.maxMessageBytes),
    splitPolicies: snapshot.get(receiveSettings.splitPolicies),
  } as SmtpPolicy;
}
