/**
 * The Minger server (draft-hathcock-minger-06): other servers ask whether a mailbox exists here, by UDP or TCP. Off
 * by default.
 *
 * A client must know the shared secret, or come from a network that may ask without; else the answer is 2, whether
 * the mailbox exists or not. If the answer cannot be found out, none is sent, since Minger has no code for it and the
 * client must not take it for `no`. An answer is longer than its question by at most two bytes, so that the server
 * cannot be used to flood others.
 */

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Resolution } from '../directory/contract.ts';
import type { Address } from '../model/address.ts';
import { OperationalError } from '../model/errors.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import {
  formatMingerAnswer,
  MINGER_LINE_BYTES,
  type MingerQuery,
  type MingerStatus,
  parseMingerQuery,
  verifyMingerDigest,
} from '../protocol/minger/minger.ts';
import { parseAddress } from '../protocol/smtp/address.ts';
import { wireLine } from '../protocol/text/unsafe.ts';
import type { Settings } from '../settings/contract.ts';
import { type AdmissionLimits, limitConnections } from '../wire/admission.ts';
import { canonicalAddress, networkOf, networkSet } from '../wire/network.ts';
import type { Clock } from '../world/clock.ts';
import type { SocketAddress } from '../world/config.ts';
import { createRecent } from '../world/recent.ts';
import {
  MINGER_CONNECTIONS,
  MINGER_CONNECTIONS_OF_ONE,
  MINGER_IDLE_MS,
  MINGER_NETWORKS,
  MINGER_QUESTIONS,
  MINGER_UNDER_WAY,
} from './limits.ts';
import { mingerSettings } from './settings.ts';

export interface MingerServices {
  readonly settings: Settings;
  readonly clock: Clock;
  /** `client`: the address of the client. */
  readonly resolve: (client: string, address: Address) => MaybePromise<Resolution>;
  /** Whether there is an account, even one that is disabled. */
  readonly hasAccount: (key: string) => Promise<boolean>;
  /** Undefined: none is set. */
  readonly secret: () => string | undefined;
}

export interface MingerServer {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** A wrong secret is a guess, or a misconfigured server. */
const WRONG_SECRET_COSTS = 10;
const MINUTE_MS = 60_000;
const MINGER_ADMISSION: AdmissionLimits = {
  connections: MINGER_CONNECTIONS,
  connectionsPerNetwork: MINGER_CONNECTIONS_OF_ONE,
};

/** Listens on both transports of one port. Errors: OperationalError `node.listen`. */
export async function serveMinger(wanted: SocketAddress, services: MingerServices): Promise<MingerServer> {
  const answer = createAnswerer(services);
  const clients = new Set<Socket>();
  const tcp = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    if (socket.destroyed) return;
    clients.add(socket);
    socket.on('close', () => clients.delete(socket));
    converse(socket, answer);
  });
  limitConnections(tcp, MINGER_ADMISSION);
  const udp = createSocket(wanted.address.includes(':') ? 'udp6' : 'udp4');
  try {
    tcp.listen(wanted.port, wanted.address);
    await once(tcp, 'listening');
    udp.bind(portOf(tcp), wanted.address);
    await once(udp, 'listening');
  } catch (cause) {
    tcp.close();
    udp.close();
    const { code, message } = cause as NodeJS.ErrnoException;
    const at = `${wanted.address} port ${wanted.port}`;
    throw new OperationalError(
      'node.listen',
      `cannot listen for minger on ${at}, as the address must be free and allowed: it is ${code ?? message}`,
      { cause },
    );
  }
  udp.on('error', () => {});
  udp.on('message', (datagram, { address, port }) => {
    void answer(datagram.toString('utf8'), address).then((text) => {
      if (text !== undefined) reply(udp, text, port, address);
    });
  });
  return { address: wanted.address, port: portOf(tcp), close: () => closeAll(tcp, udp, clients) };
}

/** Returns the line to send; undefined: none. */
type Answerer = (line: string, client: string) => Promise<string | undefined>;

function createAnswerer(services: MingerServices): Answerer {
  const { settings, clock, secret } = services;
  const spent = createSpending(clock);
  let underWay = 0;

  function mayAsk(query: MingerQuery, client: string): boolean {
    const known = secret();
    if (known !== undefined && query.digest !== undefined) return verifyMingerDigest(query, known);
    return networkSet(settings.current().get(mingerSettings.anonymousNetworks)).has(client);
  }

  async function statusOf(query: MingerQuery, client: string): Promise<MingerStatus | undefined> {
    const parsed = parseAddress(query.mailbox);
    if (!parsed.ok) return 'invalid-request';
    const resolution = await services.resolve(client, parsed.value);
    if (resolution.kind === 'local' || resolution.kind === 'role') return 'exists-active';
    if (resolution.kind === 'unavailable' || resolution.kind === 'disabled') return 'exists-inactive';
    if (resolution.kind === 'cannot-tell') return undefined;
    const { local, domain } = parsed.value;
    return (await services.hasAccount(`${local.toLowerCase()}@${domain}`)) ? 'exists-inactive' : 'no-such-address';
  }

  return async (line, remote) => {
    const client = canonicalAddress(remote);
    const network = networkOf(client);
    const allowed = settings.current().get(mingerSettings.questionsPerMinute);
    if (spent(network, 1) > allowed || underWay >= MINGER_UNDER_WAY) return undefined;
    const query = parseMingerQuery(line);
    if (!query) return formatMingerAnswer(mailboxOf(line), 'invalid-request');
    if (!mayAsk(query, client)) {
      spent(network, WRONG_SECRET_COSTS - 1);
      return formatMingerAnswer(query.mailbox, 'bad-credentials');
    }
    underWay++;
    try {
      const status = await statusOf(query, client);
      return status && formatMingerAnswer(query.mailbox, status);
    } catch {
      // The database failed: the answer is not known now.
      return undefined;
    } finally {
      underWay--;
    }
  };
}

/** The text in the place of the mailbox: the client compares it with what it sent. */
function mailboxOf(line: string): string {
  return line.slice(0, MINGER_LINE_BYTES).split(/[\x00-\x20]/, 1)[0]!;
}

/**
 * Costs of the current minute, by network. When there are too many networks, those that asked least recently are
 * dropped.
 */
function createSpending(clock: Clock): (network: string, cost: number) => number {
  const sums = createRecent<number>(MINGER_NETWORKS);
  let since = clock.monotonic();
  return (network, cost) => {
    const now = clock.monotonic();
    if (now - since > MINUTE_MS) {
      sums.clear();
      since = now;
    }
    const sum = (sums.get(network) ?? 0) + cost;
    sums.set(network, sum);
    return sum;
  };
}

/** Reads a question a line, one after the other. */
function converse(socket: Socket, answer: Answerer): void {
  const client = socket.remoteAddress ?? '';
  let pending = '';
  let asked = 0;
  let last = Promise.resolve();
  socket.setEncoding('utf8');
  socket.setTimeout(MINGER_IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  const ask = async (line: string): Promise<void> => {
    const text = await answer(line, client);
    if (socket.destroyed) return;
    // An unknown answer ends the connection without an answer.
    if (text === undefined) socket.end();
    else socket.write(wireLine(text));
  };
  socket.on('data', (text: string) => {
    pending += text;
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 1);
      if (++asked > MINGER_QUESTIONS) {
        socket.destroy();
        return;
      }
      last = last.then(() => ask(line));
    }
    if (pending.length > MINGER_LINE_BYTES) socket.destroy();
  });
  socket.on('end', () => {
    // The client ended its input without a line end.
    last = last.then(() => (pending === '' ? undefined : ask(pending))).then(() => void socket.end());
  });
}

function reply(udp: UdpSocket, text: string, port: number, address: string): void {
  udp.send(text, port, address, () => {});
}

function portOf(server: Server): number {
  return (server.address() as { port: number }).port;
}

/** No answer here is worth waiting for: a client without one asks again. */
async function closeAll(tcp: Server, udp: UdpSocket, clients: ReadonlySet<Socket>): Promise<void> {
  const closed = [once(udp, 'close'), once(tcp, 'close')];
  udp.close();
  tcp.close();
  for (const socket of clients) socket.destroy();
  await Promise.all(closed);
}
