/**
 * A listening socket and its connections: accept, limits, PROXY, early talkers, TLS, time-outs, drain.
 *
 * Promises: every accepted connection gets a conversation or is refused with an event; no connection lasts longer
 * than the limits; after `drain` none is left.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { OperationalError } from '../model/errors.ts';
import { isPromise } from '../model/maybe-promise.ts';
import type { Clock } from '../world/clock.ts';
import type { Events } from '../world/events.ts';
import type { TlsContexts } from '../world/tls.ts';
import type { Admission, AdmissionLimits, AdmissionRefusal } from './admission.ts';
import { Connection, type ConnectionHost, type Conversation } from './connection.ts';
import type { Handshakes } from './handshakes.ts';
import { type Accepted, takeAccepted } from './inbox.ts';
import { LAST_WORDS_MS, REFUSED_CONNECTIONS, SWEEP_MS } from './limits.ts';
import { afterOneTurn, awaitProxyHeader, type PrefaceResult, type ProxyMode } from './preface.ts';

export interface ListenerLimits extends AdmissionLimits {
  /** A connection ends after this time, however busy it is. */
  readonly sessionMs: number;
  /** A peer that reads nothing for so long while replies wait is disconnected. */
  readonly stalledOutputMs: number;
}

export type ListenerRefusal = AdmissionRefusal | 'proxy-missing' | 'proxy-malformed' | 'proxy-untrusted';

export interface ListenerOptions {
  /** For events: `mx`, `submission`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls?: Pick<TlsContexts, 'server'>;
  /** TLS from the first byte. */
  readonly implicitTls: boolean;
  readonly proxy: ProxyMode;
  /** Whether the peer at that address may name its client. */
  trusts(address: string): boolean;
  /** Asked for each connection, so that changed settings apply at once. */
  limits(): ListenerLimits;
  readonly admission: Admission;
  readonly handshakes: Handshakes;
  /** With a refusal the conversation sends the reason and ends. */
  converse(connection: Connection, refusal?: ListenerRefusal): Conversation;
}

export interface ListenerServices {
  readonly clock: Clock;
  readonly events: Events;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  readonly connections: number;
  /**
   * Accepts no more; resolves when all conversations have ended. Conversations left near the deadline send their last
   * reply, and are cut at the deadline.
   */
  drain(deadlineMs: number): Promise<void>;
  /** Ends everything now. */
  close(): Promise<void>;
}

/** Errors: `wire.listen`, naming the address and why. */
export async function listen(options: ListenerOptions, services: ListenerServices): Promise<Listener> {
  const room = createRoom(options, services);
  const server = createServer();
  await bind(server, options);
  takeAccepted(server, room.accept);
  server.on('error', (error) =>
    services.events.emit('wire.accept-failed', { listener: options.name, error: error.message }),
  );
  const { address, port } = server.address() as AddressInfo;
  services.events.emit('wire.listening', { listener: options.name, address, port });

  const closed = new Promise<void>((resolve) => {
    server.once('close', resolve);
  });
  return {
    address,
    port,
    get connections() {
      return room.connections.size;
    },
    async drain(deadlineMs) {
      server.close();
      room.stop();
      const lastWordsMs = Math.max(0, deadlineMs - LAST_WORDS_MS);
      const lastWords = services.clock.after(lastWordsMs, room.cutOff, { keepAlive: true });
      const timer = services.clock.after(deadlineMs, room.destroyAll, { keepAlive: true });
      await Promise.all([closed, room.emptied()]);
      lastWords.cancel();
      timer.cancel();
    },
    async close() {
      server.close();
      room.destroyAll();
      await Promise.all([closed, room.emptied()]);
    },
  };
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'EADDRINUSE: it is in use by another program',
  EACCES: 'EACCES: this user may not take it',
  EADDRNOTAVAIL: 'EADDRNOTAVAIL: this machine does not have it',
};

async function bind(server: Server, { name, host, port }: ListenerOptions): Promise<void> {
  const listening = once(server, 'listening');
  server.listen({ host, port, backlog: 1024 });
  try {
    await listening;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new OperationalError(
      'wire.listen',
      `cannot listen for ${name}, as the address must be free and allowed (${REASONS[code] ?? code}): current value is ${host}:${port}`,
      { cause },
    );
  }
}

interface Room {
  readonly connections: { readonly size: number };
  accept(accepted: Accepted): void;
  /** Ends idle connections; a busy one ends after its work. */
  stop(): void;
  /** Ends busy connections, too, with a last reply. */
  cutOff(): void;
  destroyAll(): void;
  /** Resolves when there is no connection: the server's own `close` comes before that of its last socket. */
  emptied(): Promise<void>;
}

function createRoom(options: ListenerOptions, { clock, events }: ListenerServices): Room {
  /** With the address that the limits of networks count; empty: not known yet. Undefined: not admitted. */
  const connections = new Map<Connection, string | undefined>();
  let now = clock.monotonic();
  let sweeping = false;
  let stopping = false;
  /** The number of connections that are not admitted. */
  let refused = 0;
  const awaitingEmpty: (() => void)[] = [];

  /** False: it had none. */
  const giveUpPlace = (connection: Connection): boolean => {
    const address = connections.get(connection);
    if (address === undefined) return false;
    connections.set(connection, undefined);
    options.admission.leave();
    if (address) options.admission.leaveNetwork(address);
    return true;
  };

  const sweep = (): void => {
    now = clock.monotonic();
    const { stalledOutputMs } = options.limits();
    for (const connection of connections.keys()) connection.sweep(now, stalledOutputMs);
    sweeping = connections.size > 0;
    if (sweeping) clock.after(SWEEP_MS, sweep);
  };

  const host: ConnectionHost = {
    now: () => now,
    serverTls: () => options.tls?.server(),
    tlsFailed: (connection, error) =>
      events.emit('wire.tls-failed', {
        listener: options.name,
        client: connection.client.address,
        error: (error as NodeJS.ErrnoException).code ?? error.message,
      }),
    closed(connection) {
      if (connections.has(connection) && !giveUpPlace(connection)) refused--;
      connections.delete(connection);
      if (connections.size === 0) for (const resolve of awaitingEmpty.splice(0)) resolve();
    },
    named(connection, address) {
      const reason = options.admission.enterNetwork(address, options.limits());
      if (reason) {
        events.emit('wire.refused', { listener: options.name, client: address, reason });
        return false;
      }
      const before = connections.get(connection);
      if (before) options.admission.leaveNetwork(before);
      connections.set(connection, address);
      return true;
    },
  };

  const refuse = (connection: Connection, reason: ListenerRefusal): void => {
    events.emit('wire.refused', { listener: options.name, client: connection.client.address, reason });
    // While it reads the reason, its place is free for others.
    giveUpPlace(connection);
    refused++;
    if (refused > REFUSED_CONNECTIONS) {
      connection.destroy('closed-by-us');
      return;
    }
    connection.conversation = options.converse(connection, reason);
    // A reply in clear would be unreadable where TLS is expected.
    if (options.implicitTls) connection.destroy('closed-by-us');
    else connection.conversation.begin({ spokeEarly: false });
  };

  /** The client is known: it takes a place in its network's share, or is refused. */
  const introduce = (connection: Connection, result: PrefaceResult): void => {
    const refusal =
      result.kind === 'refused'
        ? result.reason
        : options.admission.enterNetwork(connection.countedAs, options.limits());
    if (refusal || result.kind === 'refused') {
      refuse(connection, refusal!);
      return;
    }
    connections.set(connection, connection.countedAs);
    if (options.implicitTls) {
      secureInTurn(connection, options, result.rest);
      return;
    }
    connection.input.giveBack(result.rest);
    afterOneTurn(() => {
      if (connection.closing) return;
      connection.conversation = options.converse(connection);
      if (stopping) connection.conversation.stop();
      else connection.conversation.begin({ spokeEarly: connection.input.length > 0 });
    });
  };

  return {
    connections,
    accept(accepted) {
      if (connections.size === 0) now = clock.monotonic();
      const connection = new Connection(accepted, host);
      const { peer } = connection;
      // The client left between accept and here.
      if (peer.address === '') {
        connection.destroy('lost');
        return;
      }
      connections.set(connection, undefined);
      if (!sweeping) clock.after(SWEEP_MS, sweep);
      sweeping = true;
      const limits = options.limits();
      const refusal = options.admission.enter(limits);
      if (refusal) {
        refuse(connection, refusal);
        return;
      }
      connections.set(connection, '');
      connection.endWithin(limits.sessionMs);
      if (options.proxy !== 'off' && options.trusts(peer.address)) {
        awaitProxyHeader(connection, options.proxy, clock, (result) => introduce(connection, result));
      } else if (options.proxy === 'required') {
        refuse(connection, 'proxy-untrusted');
      } else {
        introduce(connection, { kind: 'client', rest: NOTHING });
      }
    },
    stop() {
      stopping = true;
      for (const connection of connections.keys()) connection.conversation?.stop();
    },
    cutOff() {
      for (const connection of connections.keys()) connection.cutOff();
    },
    destroyAll() {
      for (const connection of connections.keys()) connection.destroy('shutdown');
    },
    emptied: () =>
      connections.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            awaitingEmpty.push(resolve);
          }),
  };
}

const NOTHING: Buffer = Buffer.alloc(0);

function secureInTurn(connection: Connection, options: ListenerOptions, rest: Buffer): void {
  connection.conversation = beginWhenSecured(connection, options);
  const isGone = (): boolean => connection.closing || connection.inputEnded;
  const turn = options.handshakes.turn(connection.countedAs, isGone);
  if (!isPromise(turn)) {
    connection.startTls(rest);
    return;
  }
  // Input is bounded meanwhile, and no time-out of the client runs.
  connection.busy = true;
  void turn.then((mayBegin) => {
    connection.busy = false;
    if (connection.closing) return;
    // A client that left is not worth a signature.
    if (!mayBegin) {
      connection.destroy(connection.inputEnded ? 'lost' : 'closed-by-us');
      return;
    }
    connection.resume();
    connection.startTls(Buffer.concat([rest, connection.input.takeAll()]));
  });
}

/** The conversation until TLS is established. */
function beginWhenSecured(connection: Connection, options: ListenerOptions): Conversation {
  return {
    begin() {},
    input() {},
    secured() {
      connection.conversation = options.converse(connection);
      connection.conversation.begin({ spokeEarly: false });
    },
    timedOut: () => '',
    stop: () => connection.destroy('shutdown'),
    cutOff: () => '',
    ended() {},
  };
}
