/**
 * One SMTP client connection, from connect to QUIT: opened once, then one transaction after another.
 *
 * `ready` or `failed` is called once. A transaction in flight reports its own end; a connection that is lost while
 * idle, or on which the peer sends something out of turn, is no longer open.
 */
import type { TlsFacts } from '../../model/session.ts';
import type { ClientMechanism } from '../../protocol/sasl/client.ts';
import type { PeerExtensions } from '../../protocol/smtp/ehlo-reply.ts';
import type { Deadlines } from './deadlines.ts';
import { createExchange, type Exchange } from './exchange.ts';
import { CLIENT_LIMITS } from './limits.ts';
import { openSession } from './opening.ts';
import { openTransport } from './transport.ts';
import type { ClientTransaction, ConnectOptions, OpeningFailure, TransactionEnd } from './types.ts';

export interface SmtpConnection {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly tls: TlsFacts | undefined;
  /** The mechanism of the sign-in, if there was one. */
  readonly signedIn: ClientMechanism | undefined;
  /** The peer's extensions, without those that it is known not to implement correctly. */
  readonly extensions: PeerExtensions;
  /** Only while no transaction is under way. */
  send(transaction: ClientTransaction, done: (end: TransactionEnd) => void): void;
  /**
   * Ends the transaction under way before its end of data, and the connection with it; its `done` is not called.
   * False: too late.
   */
  stop(): boolean;
  isOpen(): boolean;
  /** Sends QUIT; when idle. */
  quit(): void;
  /** At once. The `done` of a transaction in flight is not called. */
  destroy(): void;
}

export interface ConnectionListener {
  ready(connection: SmtpConnection): void;
  failed(failure: OpeningFailure): void;
}

/** Returns a function that abandons the attempt without a report. */
export function connectSmtp(options: ConnectOptions, deadlines: Deadlines, listener: ConnectionListener): () => void {
  const ready = (offered: PeerExtensions, signedIn?: ClientMechanism): void => {
    const extensions = trusted(offered, options);
    const exchange: Exchange = createExchange(transport, extensions, options.timeouts);
    const connection: SmtpConnection = {
      host: options.host,
      address: options.address,
      port: options.port,
      tls: transport.tls,
      signedIn,
      extensions,
      send: exchange.send,
      stop: exchange.stop,
      isOpen: transport.isOpen,
      quit: () => transport.finish('QUIT\r\n', CLIENT_LIMITS.quitMs),
      destroy: transport.close,
    };
    listener.ready(connection);
  };
  const transport = openTransport(options, deadlines, () => session.connected());
  const session = openSession(transport, options, ready, listener.failed);
  return transport.close;
}

function trusted(offered: PeerExtensions, { without }: ConnectOptions): PeerExtensions {
  if (without.length === 0) return offered;
  const chunking = offered.chunking && !without.includes('chunking');
  return {
    ...offered,
    pipelining: offered.pipelining && !without.includes('pipelining'),
    chunking,
    binaryMime: offered.binaryMime && chunking,
  };
}
