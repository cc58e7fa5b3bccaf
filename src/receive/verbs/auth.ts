/**
 * AUTH (RFC 4954): authentication. Lines of the exchange are passed to `continueAuth` until it is over; none of them
 * is logged. All failures get the same reply, and not before the floor: a wrong password, an unknown name and a
 * frozen account look and last the same.
 */
import { isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import type { Reply } from '../../model/reply.ts';
import { UNKNOWN_ADDRESS } from '../../model/session.ts';
import { networkOf } from '../../wire/network.ts';
import { beginSasl, isMechanism, offeredMechanisms, type SaslChannel, type SaslStep } from '../../wire/sasl/server.ts';
import type { Offers, SaslVerdict } from '../../wire/sasl/types.ts';
import { GREET_FIRST, tooMuch } from '../replies.ts';
import type { SmtpSession, Verb } from '../session.ts';
import { offersAuth } from '../settings.ts';
import { enterGuard } from '../signed-in.ts';

const NOT_OFFERED: Reply = { code: 502, enhanced: '5.5.1', text: 'authentication is not offered here' };
const ENCRYPT_FIRST: Reply = { code: 538, enhanced: '5.7.11', text: 'encryption is required first: say STARTTLS' };
const ALREADY: Reply = { code: 503, enhanced: '5.5.1', text: 'you have authenticated already' };
const WITHIN_MESSAGE: Reply = { code: 503, enhanced: '5.5.1', text: 'a message is being sent; RSET ends it' };
const WHICH: Reply = { code: 501, enhanced: '5.5.4', text: 'AUTH must be followed by a mechanism' };
const NOT_KNOWN: Reply = { code: 504, enhanced: '5.5.4', text: 'this mechanism is not offered' };
const CANCELLED: Reply = { code: 501, enhanced: '5.7.0', text: 'authentication cancelled' };
const MALFORMED: Reply = { code: 501, enhanced: '5.5.2', text: 'the credentials are malformed' };
const TOO_LONG: Reply = { code: 500, enhanced: '5.5.6', text: 'the credentials are too long' };
const REFUSED: Reply = { code: 535, enhanced: '5.7.8', text: 'authentication failed' };
const WELCOME: Reply = { code: 235, enhanced: '2.7.0', text: 'authentication successful' };
const LATER: Reply = { code: 454, enhanced: '4.7.0', text: 'cannot check credentials now, please try again' };
const SHUT: Reply = {
  code: 454,
  enhanced: '4.7.0',
  text: 'too many failed sign-ins from your network, try again later',
};

/** The line for EHLO; empty if AUTH is not offered. */
export function authExtension(session: SmtpSession): MaybePromise<string> {
  if (!offersAuth(session.facts.profile, session.policy) || (!session.facts.tls && session.policy.authRequiresTls))
    return '';
  const offers = session.services.credentials.offers();
  return isPromise(offers) ? offers.then((known) => extension(session, known)) : extension(session, offers);
}

function extension(session: SmtpSession, offers: Offers): string {
  return `AUTH ${offeredMechanisms(offers, channelOf(session)).join(' ')}`;
}

export const auth: Verb = (session, argument) => {
  const [mechanism = '', initial, ...rest] = argument.split(' ');
  const named = mechanism === '' || isMechanism(mechanism) ? mechanism : '(unknown)';
  session.commandLine = `AUTH ${named}${initial === undefined ? '' : ' (credentials left out)'}`;
  const { facts, policy, services } = session;
  if (!offersAuth(facts.profile, policy)) return unheeded(session, NOT_OFFERED);
  if (facts.helo === undefined || !facts.extended) return unheeded(session, GREET_FIRST);
  if (!facts.tls && policy.authRequiresTls) return unheeded(session, ENCRYPT_FIRST);
  if (facts.account !== undefined) return unheeded(session, ALREADY);
  // RFC 4954 4.
  if (session.transaction) return unheeded(session, WITHIN_MESSAGE);
  if (mechanism === '' || rest.length > 0) return unheeded(session, WHICH);
  if (session.authGuard.isShut(facts.client.address, policy.maxAuthFailuresPerNetwork)) {
    tell(session, named, 'shut');
    return slowly(session, unheeded(session, SHUT), services.clock.monotonic());
  }
  const offers = services.credentials.offers();
  return isPromise(offers)
    ? offers.then((known) => begin(session, mechanism, initial, known))
    : begin(session, mechanism, initial, offers);
};

/** The lines that a client sends after a refused AUTH may still be credentials. */
function unheeded(session: SmtpSession, reply: Reply): Reply {
  session.secretMayFollow = true;
  return reply;
}

function begin(
  session: SmtpSession,
  mechanism: string,
  initial: string | undefined,
  offers: Offers,
): MaybePromise<Reply | undefined> {
  const exchange = beginSasl(mechanism, offers, session.services.credentials, channelOf(session));
  if (!exchange) return unheeded(session, NOT_KNOWN);
  session.exchange = { exchange, mechanism: mechanism.toUpperCase() };
  if (initial === undefined) return take(session, exchange.respond(undefined), session.services.clock.monotonic());
  // RFC 4954 4: `=` is an empty initial response.
  return respond(session, initial === '=' ? '' : initial);
}

/** A line of the exchange, without its CRLF. */
export function continueAuth(session: SmtpSession, line: string): MaybePromise<Reply | undefined> {
  const { refused } = session.exchange!;
  if (refused) {
    session.exchange = undefined;
    return refused;
  }
  if (line !== '*') return respond(session, line);
  session.exchange = undefined;
  return CANCELLED;
}

/** The line of an exchange was longer than any credentials. */
export function authTooLong(session: SmtpSession): MaybePromise<Reply | undefined> {
  if (session.exchange!.refused) return continueAuth(session, '');
  return fail(session, TOO_LONG, 'malformed', session.services.clock.monotonic());
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function respond(session: SmtpSession, line: string): MaybePromise<Reply | undefined> {
  const startedAt = session.services.clock.monotonic();
  if (!BASE64.test(line)) return fail(session, MALFORMED, 'malformed', startedAt);
  return take(session, session.exchange!.exchange.respond(Buffer.from(line, 'base64')), startedAt);
}

function take(session: SmtpSession, step: MaybePromise<SaslStep>, startedAt: number): MaybePromise<Reply | undefined> {
  if (isPromise(step)) return step.then((settled) => take(session, settled, startedAt));
  if (step.kind === 'challenge') return { code: 334, text: Buffer.from(step.data).toString('base64') };
  if (step.kind === 'refusal') return refuseFirst(session, step, startedAt);
  if (step.kind === 'malformed') return fail(session, MALFORMED, 'malformed', startedAt);
  return conclude(session, step.verdict, startedAt);
}

function conclude(session: SmtpSession, verdict: SaslVerdict, startedAt: number): MaybePromise<Reply> {
  switch (verdict.kind) {
    case 'yes':
      tell(session, session.exchange!.mechanism, 'yes', verdict.account);
      session.exchange = undefined;
      session.facts = { ...session.facts, account: verdict.account };
      session.proof = verdict.proof;
      enterGuard(session);
      return WELCOME;
    case 'no':
      return fail(session, REFUSED, verdict.reason, startedAt);
    case 'busy':
    case 'cannot-tell':
      tell(session, session.exchange!.mechanism, verdict.kind);
      session.exchange = undefined;
      return slowly(session, LATER, startedAt);
  }
}

/** It counts as a failure now: a client that disconnects before the answer has failed all the same. */
async function refuseFirst(
  session: SmtpSession,
  { data, verdict }: SaslStep & { readonly kind: 'refusal' },
  startedAt: number,
): Promise<Reply> {
  const exchange = session.exchange!;
  exchange.refused = await fail(session, REFUSED, verdict.reason, startedAt);
  session.exchange = exchange;
  return { code: 334, text: Buffer.from(data).toString('base64') };
}

/** For the log; the client receives none of it. */
const WHY: Readonly<Record<Failure, string>> = {
  unknown: 'there is no such account, or none that signs in so',
  wrong: 'the credentials are wrong',
  state: 'the account is frozen or disabled',
  expired: 'the password has expired',
  'not-allowed': 'nobody may act for somebody else, nor without a certificate or an issuer',
  malformed: 'the credentials are malformed',
  shut: 'too many sign-ins failed from this network',
  busy: 'too many passwords are being checked',
  'cannot-tell': 'who would know does not answer',
};

type Failure = 'malformed' | 'shut' | 'busy' | 'cannot-tell' | Extract<SaslVerdict, { kind: 'no' }>['reason'];

async function fail(session: SmtpSession, reply: Reply, reason: Failure, startedAt: number): Promise<Reply> {
  const { policy, facts } = session;
  tell(session, session.exchange!.mechanism, reason);
  session.exchange = undefined;
  session.authFailures++;
  session.authGuard.failed(facts.client.address);
  const isLast = session.authFailures >= policy.maxAuthFailures;
  return slowly(session, isLast ? tooMuch('too many failed sign-ins') : reply, startedAt);
}

/**
 * Not before the floor, whatever the reply: a client that floods us with credentials does not learn any sooner that
 * they are not checked.
 */
async function slowly({ services, policy }: SmtpSession, reply: Reply, startedAt: number): Promise<Reply> {
  await services.clock.sleep(paddingMs(services.clock.monotonic() - startedAt, policy.authFailureFloorMs));
  return reply;
}

/** Up to the next whole multiple, so that the duration does not disclose work longer than the floor, either. */
function paddingMs(tookMs: number, floorMs: number): number {
  return floorMs === 0 ? 0 : Math.ceil(Math.max(tookMs, 1) / floorMs) * floorMs - tookMs;
}

function tell(session: SmtpSession, mechanism: string, result: Failure | 'yes', account?: string): void {
  const { facts, services } = session;
  const common = { session: facts.id, address: facts.client.address, mechanism };
  if (result === 'yes') {
    session.reason = undefined;
    services.events.emit('smtp.auth.succeeded', { ...common, account: account! });
  } else {
    session.reason = `sign-in by ${mechanism} failed, as ${WHY[result]}`;
    services.events.emit('smtp.auth.failed', { ...common, reason: result });
  }
}

function channelOf({ connection, facts, hostname, services, isClientNamed }: SmtpSession): SaslChannel {
  const now = services.clock.now();
  // Behind a proxy that uses XCLIENT there is no direct channel to the client.
  const direct = facts.tls !== undefined && !isClientNamed;
  return {
    binding: direct ? connection.channelBinding() : undefined,
    certificate: direct ? connection.clientCertificate(now)?.fingerprint : undefined,
    // An unknown address is no network that a user is known to sign in from.
    network: facts.client.address === UNKNOWN_ADDRESS ? undefined : networkOf(facts.client.address),
    hostname,
    random: services.random,
    now,
  };
}
