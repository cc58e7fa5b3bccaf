/**
 * The SMTP server: listeners with their profiles, and the state that all of them share. Created by main.
 *
 * `drain` takes no new connections, sends 421 to idle sessions, lets messages in hand finish and cuts the rest at the
 * deadline.
 */
import { isPromise } from '../model/maybe-promise.ts';
import type { ListenerProfile } from '../model/session.ts';
import type { SettingsSnapshot } from '../settings/contract.ts';
import { createAdmission } from '../wire/admission.ts';
import { createHandshakes } from '../wire/handshakes.ts';
import { type Listener, type ListenerLimits, listen } from '../wire/listener.ts';
import { networkSet } from '../wire/network.ts';
import type { ProxyMode } from '../wire/preface.ts';
import type { TlsContexts } from '../world/tls.ts';
import { createAuthGuard } from './auth-guard.ts';
import { converse, type SessionSurroundings } from './conversation.ts';
import { createKnownClients } from './known-clients.ts';
import type { ReceiveServices } from './services.ts';
import { readPolicy, type SmtpPolicy } from './settings.ts';
import { createUnfinishedSessions } from './unfinished-sessions.ts';

export type { ReceiveServices } from './services.ts';

export interface ReceiverOptions {
  /** Our name in greetings and trace lines. */
  readonly hostname: string;
  /** CIDRs of clients that may send PROXY and XCLIENT. */
  readonly trustedProxies: readonly string[];
}

export interface SmtpListenOptions {
  readonly profile: ListenerProfile;
  readonly host: string;
  readonly port: number;
  readonly proxy: ProxyMode;
}

export interface Receiver {
  /** Errors: `wire.listen`. */
  listen(options: SmtpListenOptions): Promise<{ readonly address: string; readonly port: number }>;
  readonly connections: number;
  drain(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Errors: `network.malformed` for a trusted proxy that is no network. */
export function createReceiver(services: ReceiveServices, options: ReceiverOptions): Receiver {
  const listeners: Listener[] = [];
  const admission = createAdmission();
  const handshakes = createHandshakes(services.clock);
  const trusted = networkSet(options.trustedProxies);
  const unfinished = createUnfinishedSessions(services);
  const policy = policyReader(services);
  const shared: Omit<SessionSurroundings, 'profile'> = {
    services,
    hostname: options.hostname,
    policy,
    trusts: trusted.has,
    unfinished,
    knownClients: createKnownClients(),
    authGuard: createAuthGuard(services.clock),
    handshakes,
  };

  const endAll = async (end: (listener: Listener) => Promise<void>): Promise<void> => {
    await Promise.all(listeners.map(end));
    unfinished.flush();
  };

  return {
    async listen({ profile, host, port, proxy }) {
      const surroundings: SessionSurroundings = { ...shared, profile };
      const listener = await listen(
        {
          name: profile,
          host,
          port,
          tls: askingForCertificates(services, profile),
          implicitTls: profile === 'submissions',
          proxy,
          trusts: trusted.has,
          limits: () => listenerLimits(policy()),
          admission,
          handshakes,
          converse: (connection, refusal) => converse(connection, surroundings, refusal),
        },
        services,
      );
      listeners.push(listener);
      return { address: listener.address, port: listener.port };
    },
    get connections() {
      return admission.connections;
    },
    drain: (deadlineMs) => endAll((listener) => listener.drain(deadlineMs)),
    close: () => endAll((listener) => listener.close()),
  };
}

/** The settings as one object, built anew only when they changed. */
function policyReader({ settings }: ReceiveServices): () => SmtpPolicy {
  let from: SettingsSnapshot | undefined;
  let policy: SmtpPolicy;
  return () => {
    const snapshot = settings.current();
    if (snapshot !== from) {
      from = snapshot;
      policy = readPolicy(snapshot);
    }
    return policy;
  };
}

/**
 * Clients are asked for a certificate only if one would be used: for sign-in (EXTERNAL), or to identify a server of
 * ours. Some servers of others disconnect when they are asked.
 */
function askingForCertificates(
  { tls, credentials, asksCertificates }: ReceiveServices,
  profile: ListenerProfile,
): Pick<TlsContexts, 'server'> {
  const bySignIn = (): boolean => {
    const offers = credentials.offers();
    return profile !== 'mx' && !isPromise(offers) && offers.external;
  };
  return {
    server() {
      const wanted = asksCertificates() || bySignIn();
      return wanted ? { ...tls.server(), requestCert: true, rejectUnauthorized: false } : tls.server();
    },
  };
}

function listenerLimits(policy: SmtpPolicy): ListenerLimits {
  return {
    connections: policy.maxConnections,
    connectionsPerNetwork: policy.maxConnectionsPerNetwork,
    sessionMs: policy.sessionTimeoutMs,
    stalledOutputMs: policy.stalledOutputTimeoutMs,
  };
}
