/**
 * One accepted connection: bytes in, text out, TLS, time-outs, and one end that is reported once.
 *
 * A protocol server uses it as a `Connection`, and it uses the server as a `Conversation`. Input is framed
 * (framing.ts) and bounded while the server is busy; output is gathered until `flush`, so that the replies to a
 * pipelined batch leave in one write. A fault of the peer ends the connection, never more. A class, since there may
 * be ten thousand of them at a time.
 */
import type { Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import type { ClientCertificate, Peer, TlsFacts } from '../model/session.ts';
import { tlsFacts } from '../world/tls.ts';
import { channelBinding } from './channel-binding.ts';
import { clientCertificate } from './client-certificate.ts';
import { InputBuffer } from './framing.ts';
import { type Accepted, openSocket } from './inbox.ts';
import { INPUT_BYTES_WHILE_BUSY, LAST_WORDS_MS, OUTPUT_BYTES, SWEEP_MS, TLS_HANDSHAKE_MS } from './limits.ts';
import { canonicalAddress } from './network.ts';

/** `lost`: reset or cut; `closed-by-client`: the client ended its input. */
export type ConnectionEnd = 'closed-by-client' | 'closed-by-us' | 'timeout' | 'lost' | 'shutdown';

/** What a protocol server implements for a connection. No method may throw. */
export interface Conversation {
  /** The connection is set up: send the greeting. `spokeEarly`: the client sent data before it. */
  begin(circumstances: { readonly spokeEarly: boolean }): void;
  /** `connection.input` has more, or the peer has read replies, or ended its input. */
  input(): void;
  /** TLS is established; data sent before it does not count. */
  secured(): void;
  /** The time given by `expectWithin` or `endWithin` is over. Returns the last text to send. */
  timedOut(): string;
  /** The node stops: end now, or after the work in hand. */
  stop(): void;
  /** The node no longer waits for the work in hand. Returns the last text to send. */
  cutOff(): string;
  /** Called once, last. */
  ended(end: ConnectionEnd): void;
}

/** What the connection needs of its listener. */
export interface ConnectionHost {
  /** Milliseconds, as of the last sweep. */
  now(): number;
  serverTls(): TLSSocketOptions | undefined;
  tlsFailed(connection: Connection, error: Error): void;
  closed(connection: Connection): void;
  /** Whether there is room for one more connection of that client's network. */
  named(connection: Connection, address: string): boolean;
}

export class Connection {
  readonly input = new InputBuffer();
  readonly local: Peer;
  /** The peer of the socket, even if it is a proxy. Its address is empty if it left before it was read. */
  readonly peer: Peer;
  /** The client itself, also behind a proxy. */
  client: Peer;
  /** The peer of the socket if it is a proxy. */
  proxy: Peer | undefined;
  /** The address that the limits of networks count. */
  countedAs: string;
  tls: TlsFacts | undefined;
  /** The peer ended its input; it may still read. */
  inputEnded = false;
  /** Set while the server works for this connection; input gathers meanwhile. */
  busy = false;
  conversation: Conversation | undefined;

  readonly #host: ConnectionHost;
  #socket: Socket;
  #out = '';
  #paused = false;
  #end: ConnectionEnd | undefined;
  #deadline = Number.POSITIVE_INFINITY;
  #lastDeadline = Number.POSITIVE_INFINITY;
  #bytesWritten = 0;
  #stalledSince: number | undefined;
  #handshaking = false;

  constructor(accepted: Accepted, host: ConnectionHost) {
    const socket = openSocket(accepted, (bytes) => {
      this.input.lend(bytes);
      this.#received();
    });
    this.#socket = socket;
    this.#host = host;
    this.peer = peerAt(socket.remoteAddress, socket.remotePort);
    this.client = this.peer;
    this.countedAs = this.peer.address;
    this.local = peerAt(socket.localAddress, socket.localPort);
    this.#attach(socket);
    socket.on('close', () => this.#closed());
  }

  /** Nothing more is sent, and no command executed. */
  get closing(): boolean {
    return this.#end !== undefined;
  }

  /** The peer reads too slowly to be sent more. */
  get congested(): boolean {
    return this.#socket.writableLength + this.#out.length > OUTPUT_BYTES;
  }

  /** `tls-exporter` (RFC 9266), where there is one. */
  channelBinding(): Buffer | undefined {
    return this.#socket instanceof TLSSocket ? channelBinding(this.#socket) : undefined;
  }

  /** If the client presented one on request. `now`: milliseconds since the epoch. */
  clientCertificate(now: number): ClientCertificate | undefined {
    return this.#socket instanceof TLSSocket ? clientCertificate(this.#socket, now) : undefined;
  }

  /** A proxy named its client after the connection began. False: that client's network has its share already. */
  nameClient(address: string): boolean {
    return this.#host.named(this, address);
  }

  /** The peer must send or read something within so many milliseconds, or the connection times out. */
  expectWithin(ms: number): void {
    this.#deadline = this.#host.now() + ms + SWEEP_MS;
  }

  /** The connection ends by then, however active it is. */
  endWithin(ms: number): void {
    this.#lastDeadline = this.#host.now() + ms + SWEEP_MS;
  }

  send(text: string): void {
    this.#out += text;
  }

  flush(): void {
    if (this.#out === '') return;
    const out = this.#out;
    this.#out = '';
    if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.write(out);
  }

  /** Writes the output, then ends; the peer may read it until LAST_WORDS_MS are over. */
  close(end: ConnectionEnd = 'closed-by-us'): void {
    if (this.#end !== undefined) return;
    this.flush();
    this.#end = end;
    this.input.clear();
    this.#socket.end();
    // Unread input would turn the end into a reset, and the last replies would be lost.
    if (this.#paused) this.#socket.resume();
    this.#deadline = this.#host.now() + LAST_WORDS_MS + SWEEP_MS;
    this.#lastDeadline = this.#deadline;
  }

  /**
   * As `close`, for a peer that announced its end: nothing more is expected from it. The kernel delivers what was
   * written; output that still waits here, or that TLS must end, ends as in `close`.
   */
  part(): void {
    if (this.#end !== undefined) return;
    const peerIsDone = this.input.length === 0 && !(this.#socket instanceof TLSSocket);
    this.flush();
    if (peerIsDone && this.#socket.writableLength === 0) this.destroy('closed-by-us');
    else this.close('closed-by-us');
  }

  /** The node stops, whatever work is in hand. */
  cutOff(): void {
    if (this.#end !== undefined) return;
    if (this.#handshaking || !this.conversation) {
      this.destroy('shutdown');
      return;
    }
    this.send(this.conversation.cutOff());
    this.close('shutdown');
  }

  destroy(end: ConnectionEnd): void {
    this.#end ??= end;
    this.#socket.destroy();
  }

  /** Resumes reading after work. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /**
   * Flushes, discards what came in clear (RFC 3207 4.2), and speaks TLS from here on. `behind`: bytes after a PROXY
   * header are the beginning of the handshake and are not discarded.
   */
  startTls(behind?: Buffer): { readonly discardedBytes: number } {
    this.flush();
    const discardedBytes = this.input.clear();
    const plain = this.#socket;
    if (behind && behind.length > 0) {
      // In flowing mode, the socket would drop these bytes before TLS reads them.
      plain.pause();
      plain.unshift(Buffer.from(behind));
    }
    const secure = new TLSSocket(plain, { ...this.#host.serverTls(), allowHalfOpen: true } as TLSSocketOptions);
    this.#socket = secure;
    this.#handshaking = true;
    this.#attach(secure);
    secure.on('data', (chunk: Buffer) => {
      this.input.push(chunk);
      this.#received();
    });
    this.expectWithin(TLS_HANDSHAKE_MS);
    secure.once('secure', () => {
      this.#handshaking = false;
      this.tls = tlsFacts(secure);
      this.conversation?.secured();
    });
    return { discardedBytes };
  }

  /** Called by the listener about once a second. */
  sweep(now: number, stalledOutputMs: number): void {
    const late = now >= this.#deadline || now >= this.#lastDeadline;
    if (this.#isStalled(now, stalledOutputMs)) {
      this.destroy('timeout');
    } else if (!late || this.busy) {
      // The work that keeps the connection busy has time-outs of its own, and is not the peer's fault.
    } else if (this.#end !== undefined || this.#handshaking || !this.conversation) {
      this.destroy('timeout');
    } else {
      this.send(this.conversation.timedOut());
      this.close('timeout');
    }
  }

  #isStalled(now: number, stalledOutputMs: number): boolean {
    const { writableLength, bytesWritten } = this.#socket;
    const moved = bytesWritten - writableLength;
    if (writableLength === 0 || moved !== this.#bytesWritten) {
      this.#bytesWritten = moved;
      this.#stalledSince = undefined;
      return false;
    }
    this.#stalledSince ??= now;
    return now - this.#stalledSince >= stalledOutputMs;
  }

  #attach(socket: Socket): void {
    socket.on('drain', () => {
      if (socket === this.#socket) this.#wake();
    });
    socket.on('end', () => {
      if (socket === this.#socket) this.#inputEnded();
    });
    socket.on('error', (error) => {
      if (this.#handshaking && this.#end === undefined) this.#host.tlsFailed(this, error);
      this.destroy('lost');
    });
  }

  #received(): void {
    if (this.#end !== undefined) this.input.clear();
    else if (!this.busy && !this.congested) this.conversation?.input();
    else if (this.input.length > INPUT_BYTES_WHILE_BUSY) {
      this.#paused = true;
      this.#socket.pause();
    }
    this.input.keep();
  }

  #inputEnded(): void {
    this.inputEnded = true;
    if (this.#handshaking) this.destroy('lost');
    else this.#wake();
  }

  #wake(): void {
    if (this.#end !== undefined || this.busy) return;
    this.conversation?.input();
    if (!this.busy && !this.congested) this.resume();
  }

  #closed(): void {
    this.#end ??= this.inputEnded ? 'closed-by-client' : 'lost';
    this.#host.closed(this);
    const { conversation } = this;
    // Node's socket and all that it references survive young collections; the session need not.
    this.conversation = undefined;
    conversation?.ended(this.#end);
  }
}

function peerAt(address = '', port = 0): Peer {
  return { address: canonicalAddress(address), port };
}
