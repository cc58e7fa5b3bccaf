/**
 * The socket of a conversation: replies in, bytes out, TLS, a deadline, and one end.
 *
 * `received` gets each whole reply; `lost` is called exactly once, with the reason, unless `close` came first.
 * Neither is called after the end.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Reply } from '../../model/reply.ts';
import type { TlsFacts } from '../../model/session.ts';
import { createReplyParser, type ReplyParser } from '../../protocol/smtp/reply.ts';
import { tlsFacts } from '../../world/tls.ts';
import type { Deadlines, Watched } from './deadlines.ts';
import { CLIENT_LIMITS } from './limits.ts';
import { writeTogether } from './outbox.ts';
import type { ConnectOptions } from './types.ts';

export interface Lost {
  /** `garbage`: the input is not SMTP. */
  readonly kind: 'closed' | 'timeout' | 'garbage';
  readonly reason: string;
}

export interface Transport {
  readonly tls: TlsFacts | undefined;
  /** For callers that need more of the encryption than `tls` has. */
  readonly secured: TLSSocket | undefined;
  readonly localAddress: string | undefined;
  received: (reply: Reply) => void;
  lost: (lost: Lost) => void;
  /** Not lost and not closed. */
  isOpen(): boolean;
  /** False when the socket buffers and `drained` should be awaited. */
  write(data: string | Buffer): boolean;
  /** In one packet if they fit. Returns as `write` does. */
  writeAll(pieces: readonly Buffer[]): boolean;
  /** The system has not taken all that was written. */
  hasUnsent(): boolean;
  /** Resolves when the socket takes more, and also when it was lost. */
  drained(): Promise<void>;
  /** The next input must come within `ms`; each call replaces the one before. */
  arm(ms: number): void;
  disarm(): void;
  /** Milliseconds on the clock that `arm` counts in. */
  now(): number;
  /**
   * Before the greeting, or after the 220 to STARTTLS. Clear text after that reply is an attack (RFC 3207 4.2) and
   * loses the connection.
   */
  secure(established: () => void): void;
  /** Final; `finish` may still wait for the answer to a last command. */
  close(): void;
  /** Sends a last command and closes when the peer does, or soon. */
  finish(lastWord: string, withinMs: number): void;
}

/** The bytes of the last read, on any connection: replies are parsed at once, so a read costs no memory. */
const INBOX = Buffer.allocUnsafeSlow(CLIENT_LIMITS.inboxBytes);

export function openTransport(options: ConnectOptions, deadlines: Deadlines, connected: () => void): Transport {
  const raw = connectTcp({
    host: options.address,
    port: options.port,
    ...(options.localAddress && { localAddress: options.localAddress }),
    autoSelectFamily: false,
    noDelay: true,
    onread: { buffer: INBOX, callback: (length) => take(INBOX, length) },
  });
  let socket: Socket = raw;
  let parser: ReplyParser = createReplyParser();
  let open = true;
  let facts: TlsFacts | undefined;
  let failure: Error | undefined;
  let drain: (() => void) | undefined;

  const end = (): void => {
    open = false;
    deadlines.unwatch(watched);
    socket.destroy();
    raw.destroy();
    drain?.();
  };
  const lose = (lost: Lost): void => {
    if (!open) return;
    end();
    transport.lost(lost);
  };
  const watched: Watched = {
    deadline: Number.POSITIVE_INFINITY,
    expire: () => lose({ kind: 'timeout', reason: 'the peer did not answer in time' }),
  };
  const answered = (reply: Reply): void => {
    if (open) transport.received(reply);
  };
  /** Returns true: the socket goes on reading. */
  const take = (bytes: Buffer, length: number): true => {
    const problem = parser.push(bytes, length, answered);
    if (problem) lose({ kind: 'garbage', reason: `what the peer said is no SMTP: ${problem}` });
    return true;
  };
  const onClose = (): void => lose({ kind: 'closed', reason: closedBecause(failure) });
  const attach = (to: Socket): void => {
    to.on('drain', () => drain?.());
    to.on('error', (error) => {
      failure = error;
    });
    to.on('close', onClose);
  };

  const transport: Transport = {
    get tls() {
      return facts;
    },
    get secured() {
      return facts && (socket as TLSSocket);
    },
    get localAddress() {
      return raw.localAddress;
    },
    received: () => {},
    lost: () => {},
    isOpen: () => open,
    write: (data) => socket.write(data),
    writeAll: (pieces) => writeTogether(socket, pieces),
    hasUnsent: () => socket.writableLength > 0,
    drained: () =>
      new Promise((resolve) => {
        drain = () => {
          drain = undefined;
          resolve();
        };
        if (!open || !socket.writableNeedDrain) drain();
      }),
    arm(ms) {
      watched.deadline = deadlines.now() + ms;
    },
    now: deadlines.now,
    disarm() {
      watched.deadline = Number.POSITIVE_INFINITY;
    },
    secure(established) {
      // TLS has taken it over and reports its end.
      raw.removeListener('close', onClose);
      parser = createReplyParser();
      const secured: TLSSocket = connectTls({ ...options.tlsOptions(options.host), socket: raw });
      socket = secured;
      attach(secured);
      secured.on('data', (chunk: Buffer) => take(chunk, chunk.length));
      secured.once('secureConnect', () => {
        facts = tlsFacts(secured);
        if (open) established();
      });
    },
    close: end,
    finish(lastWord, withinMs) {
      if (!open) return;
      transport.received = transport.close;
      transport.lost = () => {};
      transport.arm(withinMs);
      socket.end(lastWord);
    },
  };
  attach(raw);
  raw.once('connect', () => open && connected());
  deadlines.watch(watched);
  transport.arm(options.timeouts.connectMs);
  return transport;
}

/** Node's code where there is one: it contains neither address nor port. */
function closedBecause(error: Error | undefined): string {
  if (!error) return 'the peer closed the connection';
  const code = (error as NodeJS.ErrnoException).code;
  return SENTENCES[code ?? ''] ?? `the connection broke: ${code ?? error.message}`;
}

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the peer reset the connection',
  EPIPE: 'the peer reset the connection',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  EADDRNOTAVAIL: 'the local address cannot be used',
};
