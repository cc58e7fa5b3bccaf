/** A connection as an SMTP session: greeted, driven by the engine, and recorded when it ends. */
import { andThen, isPromise } from '../model/maybe-promise.ts';
import type { Reply } from '../model/reply.ts';
import { type ListenerProfile, type SessionFacts, UNKNOWN_ADDRESS } from '../model/session.ts';
import { createDataDecoder } from '../protocol/smtp/data-decoder.ts';
import { formatReply } from '../protocol/smtp/reply.ts';
import type { Connection, ConnectionEnd, Conversation } from '../wire/connection.ts';
import type { Handshakes } from '../wire/handshakes.ts';
import type { ListenerRefusal } from '../wire/listener.ts';
import type { AuthGuard } from './auth-guard.ts';
import { writeContent } from './content.ts';
import { addClientLine, addNote, addReply } from './dialogue.ts';
import { end } from './end.ts';
import { answer, proceed, wait } from './engine.ts';
import { greeting } from './greeting.ts';
import type { KnownClients } from './known-clients.ts';
import { AUTH_LINE_BYTES } from './limits.ts';
import { sessionRecord } from './records.ts';
import { SHUTTING_DOWN, TIMED_OUT, TOO_MANY_FROM_NETWORK } from './replies.ts';
import type { ReceiveServices } from './services.ts';
import { currentDialogue, type SmtpSession } from './session.ts';
import { offersAuth, type SmtpPolicy } from './settings.ts';
import { leaveGuard } from './signed-in.ts';
import { abandonTransaction } from './transaction.ts';
import type { UnfinishedSessions } from './unfinished-sessions.ts';

/** The state that all sessions of a listener share. */
export interface SessionSurroundings {
  readonly services: ReceiveServices;
  readonly hostname: string;
  readonly profile: ListenerProfile;
  policy(): SmtpPolicy;
  trusts(address: string): boolean;
  readonly unfinished: UnfinishedSessions;
  readonly knownClients: KnownClients;
  readonly authGuard: AuthGuard;
  readonly handshakes: Handshakes;
}

const EARLY: Reply = { code: 554, enhanced: '5.5.1', text: 'you spoke before you were greeted', close: true };

const REFUSALS: Readonly<Record<ListenerRefusal, Reply>> = {
  'too-many-connections': {
    code: 421,
    enhanced: '4.3.2',
    text: 'too many connections, please come again',
    close: true,
  },
  'too-many-from-network': TOO_MANY_FROM_NETWORK,
  'proxy-missing': { code: 421, enhanced: '4.3.5', text: 'a PROXY header must come first', close: true },
  'proxy-malformed': { code: 421, enhanced: '4.3.5', text: 'the PROXY header is malformed', close: true },
  'proxy-untrusted': { code: 421, enhanced: '4.7.0', text: 'only proxies may connect here', close: true },
};

export function converse(
  connection: Connection,
  surroundings: SessionSurroundings,
  refusal?: ListenerRefusal,
): Conversation {
  const session = openSession(connection, surroundings);
  const { policy, services } = session;

  const greet = (): void => {
    const greeted = andThen(session.screen.connect(), ({ refusal }) =>
      greetWith(session, refusal ?? greeting(session)),
    );
    if (isPromise(greeted)) {
      wait(session, greeted);
      return;
    }
    answer(session, greeted);
    proceed(session);
  };

  /** A refusal in place of a greeting, if it needs no input of the client. */
  const turnedAway = (spokeEarly: boolean): boolean => {
    if (refusal) turnAway(session, REFUSALS[refusal], refusal);
    else if (spokeEarly && policy.earlyTalk === 'refuse') turnAway(session, EARLY, 'early talk');
    else return false;
    return true;
  };

  return {
    begin({ spokeEarly }) {
      if (turnedAway(spokeEarly)) return;
      if (policy.greetingPauseMs === 0 || surroundings.knownClients.has(session.facts.client.address)) {
        greet();
        return;
      }
      connection.busy = true;
      services.clock.after(policy.greetingPauseMs, () => {
        connection.busy = false;
        if (!connection.closing && !turnedAway(connection.input.length > 0)) greet();
      });
    },
    input: () => proceed(session),
    secured() {
      // Facts proven before do not count any more (RFC 3207 4.2).
      const { helo: _, account: __, ...facts } = session.facts;
      const tls = tlsOf(connection, session.isClientNamed, services.clock.now());
      session.exchange = undefined;
      leaveGuard(session);
      session.facts = { ...facts, extended: false, ...tls };
      addNote(session.dialogue, `TLS: ${connection.tls?.protocol} ${connection.tls?.cipher}`);
      connection.expectWithin(policy.commandTimeoutMs);
    },
    timedOut() {
      session.end = 'timeout';
      addReply(currentDialogue(session), TIMED_OUT);
      return formatReply(TIMED_OUT);
    },
    stop() {
      session.draining = true;
      if (!session.transaction && !connection.busy) end(session, SHUTTING_DOWN, 'shutdown');
    },
    cutOff() {
      session.end = 'shutdown';
      addReply(currentDialogue(session), SHUTTING_DOWN);
      return formatReply(SHUTTING_DOWN);
    },
    ended: (how) => conclude(session, surroundings, how),
  };
}

function openSession(connection: Connection, surroundings: SessionSurroundings): SmtpSession {
  const { services, hostname, profile } = surroundings;
  const facts: SessionFacts = {
    id: services.queue.newId(),
    profile,
    client: connection.client,
    ...(connection.proxy ? { proxy: connection.proxy } : {}),
    local: connection.local,
    extended: false,
    ...tlsOf(connection, false, services.clock.now()),
    startedAt: services.clock.now(),
  };
  const policy = surroundings.policy();
  const session: SmtpSession = {
    services,
    policy,
    connection,
    hostname,
    trustedProxy: surroundings.trusts(connection.client.address),
    authGuard: surroundings.authGuard,
    handshakes: surroundings.handshakes,
    longestLine: offersAuth(profile, policy)
      ? Math.max(policy.maxCommandLineBytes, AUTH_LINE_BYTES)
      : policy.maxCommandLineBytes,
    dialogue: { text: '' },
    decoder: createDataDecoder(),
    write: (slice, isPlain) => writeContent(session.transaction!.content!, slice, isPlain),
    facts,
    screen: services.screen.session(facts),
    transaction: undefined,
    receiving: undefined,
    exchange: undefined,
    proof: undefined,
    leaveGuard: undefined,
    isDismissed: false,
    authFailures: 0,
    errors: 0,
    idleCommands: 0,
    fruitlessRecipients: 0,
    isClientNamed: false,
    refusedRecipients: 0,
    transactions: 0,
    messagesAccepted: 0,
    commandLine: undefined,
    upgrading: false,
    secretMayFollow: false,
    draining: false,
    gone: false,
    end: undefined,
    reason: undefined,
  };
  return session;
}

/**
 * `isClientNamed`: by XCLIENT, so TLS ends at a proxy, and its certificate is not the client's. A PROXY header is
 * sent before TLS that passes through.
 */
function tlsOf(connection: Connection, isClientNamed: boolean, now: number): Pick<SessionFacts, 'tls'> {
  const { tls } = connection;
  if (!tls) return {};
  const certificate = isClientNamed ? undefined : connection.clientCertificate(now);
  return { tls: certificate ? { ...tls, certificate } : tls };
}

/** A refusal by the checks replaces the greeting, and ends the session (RFC 5321 3.1). */
function greetWith(session: SmtpSession, reply: Reply): Reply {
  addReply(session.dialogue, reply);
  if (reply.code === 220) return reply;
  session.end = 'refused';
  session.reason ??= 'refused at connection';
  return { ...reply, close: true };
}

function turnAway(session: SmtpSession, reply: Reply, reason: string): void {
  session.reason = reason;
  end(session, reply, 'refused');
}

function conclude(session: SmtpSession, { unfinished, knownClients }: SessionSurroundings, how: ConnectionEnd): void {
  session.gone = true;
  leaveGuard(session);
  if (session.commandLine !== undefined) addClientLine(session.dialogue, session.commandLine);
  // While the message is being accepted there is no transaction, and its content belongs to the acceptance; pending
  // results would come too late.
  session.screen.reset?.();
  abandonTransaction(session);
  const { address } = session.facts.client;
  if (session.messagesAccepted > 0 && address !== UNKNOWN_ADDRESS) knownClients.add(address);
  const record = sessionRecord(session, session.end ?? how);
  if (session.transactions > 0) session.services.journal.session(record);
  else unfinished.record(record);
}
