/**
 * A mail server that a test controls, good or bad: the other end of the client's conversation.
 *
 * It knows enough SMTP to take mail (DATA, also without recipients; BDAT, STARTTLS). For each command of the client
 * it first asks `answer`, which may return another reply, none, or a hang-up. Independent of the product's own
 * engine, so that it can be a witness.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';

/** Hang up, or answer nothing at all. */
export const DROP = Symbol('drop');
export const SILENCE = Symbol('silence');
export type PeerAnswer = string | typeof DROP | typeof SILENCE | undefined;

export interface Turn {
  /** `CONNECT` before the greeting; `CONTENT` after the last byte of DATA or BDAT; else the verb. */
  readonly verb: string;
  readonly line: string;
  /** Counts connections, from 1. */
  readonly session: number;
  readonly secure: boolean;
}

export interface PeerOptions {
  readonly host?: string;
  readonly port?: number;
  readonly extensions?: readonly string[];
  /** `broken`: offers STARTTLS and answers the handshake with garbage. */
  readonly tls?: TLSSocketOptions | 'broken';
  /** TLS from the first byte. */
  readonly implicitTls?: TLSSocketOptions;
  /** In place of the usual reply, CRLF added; `undefined` for the usual one. */
  readonly answer?: (turn: Turn) => PeerAnswer;
  /** Drops everything that was sent along with a command, as a peer does that only claims to pipeline. */
  readonly losesPipelined?: boolean;
}

export interface PeerMessage {
  readonly mail: string;
  readonly rcpt: readonly string[];
  /** Dots removed, without the final one. */
  readonly content: Buffer;
  readonly secure: boolean;
  readonly by: 'DATA' | 'BDAT';
}

export interface Peer {
  readonly host: string;
  readonly port: number;
  readonly messages: readonly PeerMessage[];
  /** Every command line of every session. */
  readonly lines: readonly string[];
  /** Sessions begun. */
  sessions(): number;
  /** Ends of content seen, refused ones too. */
  contents(): number;
  /** Sessions still open. */
  open(): number;
  /** Cuts all connections, listens on. */
  cut(): void;
  /** Sends something to every client, unasked. */
  shout(text: string): void;
}

interface Session {
  socket: Socket;
  readonly number: number;
  pending: Buffer;
  secure: boolean;
  mail: string;
  rcpt: string[];
  /** The kind of input: commands, data up to the dot, or so many bytes of BDAT. */
  expects: 'command' | 'data' | number;
  chunks: Buffer[];
  isLast: boolean;
}

const USUAL: Readonly<Record<string, string>> = {
  CONNECT: '220 peer.example ESMTP',
  HELO: '250 peer.example',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go ahead',
  CONTENT: '250 2.0.0 taken',
  RSET: '250 2.0.0 ok',
  QUIT: '221 2.0.0 bye',
  STARTTLS: '220 2.0.0 go ahead',
};

export async function startPeer(t: Pick<TestContext, 'after'>, options: PeerOptions = {}): Promise<Peer> {
  const messages: PeerMessage[] = [];
  const lines: string[] = [];
  const open = new Set<Session>();
  let sessions = 0;
  let contents = 0;

  const usual = (verb: string, { secure, mail, rcpt }: Session): string => {
    if (verb === 'RCPT' && mail === '') return '503 5.5.1 MAIL first';
    if (verb === 'CONTENT' && rcpt.length === 0) return '554 5.5.1 no recipients';
    if (verb !== 'EHLO') return USUAL[verb] ?? '500 5.5.2 what?';
    const offered = [...(options.extensions ?? []), ...(options.tls && !secure ? ['STARTTLS'] : [])];
    return ['peer.example', ...offered].map((text, i) => `250${i === offered.length ? ' ' : '-'}${text}`).join('\r\n');
  };

  /** The code sent; 0 for none. */
  const reply = (session: Session, verb: string, line: string): number => {
    const said = options.answer?.({ verb, line, session: session.number, secure: session.secure });
    if (said === DROP) session.socket.destroy();
    if (typeof said === 'symbol') return 0;
    const text = said ?? usual(verb, session);
    session.socket.write(`${text}\r\n`);
    return Number(text.slice(0, 3));
  };

  const take = (session: Session, by: PeerMessage['by']): void => {
    session.expects = 'command';
    contents++;
    const content = Buffer.concat(session.chunks);
    session.chunks = [];
    const code = reply(session, 'CONTENT', '');
    if (code === 250) messages.push({ mail: session.mail, rcpt: session.rcpt, content, secure: session.secure, by });
    session.mail = '';
    session.rcpt = [];
  };

  const command = (session: Session, line: string): void => {
    lines.push(line);
    const verb = line.split(' ', 1)[0]!.toUpperCase();
    if (verb === 'BDAT') {
      session.expects = Number(line.split(' ')[1]);
      session.isLast = / LAST$/i.test(line);
      return;
    }
    const code = reply(session, verb, line);
    if (verb === 'MAIL' && code === 250) session.mail = line;
    if (verb === 'RCPT' && code === 250) session.rcpt.push(line);
    if (verb === 'DATA' && code === 354) session.expects = 'data';
    if (verb === 'QUIT' || code === 421) session.socket.end();
    if (verb === 'STARTTLS' && code === 220 && options.tls) secure(session);
    if (options.losesPipelined) session.pending = Buffer.alloc(0);
  };

  const secure = (session: Session): void => {
    session.socket.removeAllListeners('data');
    if (options.tls === 'broken')
      return void session.socket.once('data', () => session.socket.write('no TLS today\r\n'));
    encrypt(session, options.tls!);
  };

  const encrypt = (session: Session, tls: TLSSocketOptions): void => {
    session.socket = new TLSSocket(session.socket, { ...tls, isServer: true });
    session.secure = true;
    listen(session);
  };

  const step = (session: Session): boolean => {
    const { pending, expects } = session;
    if (session.socket.destroyed) return false;
    if (typeof expects === 'number') {
      if (pending.length < expects) return false;
      session.chunks.push(pending.subarray(0, expects));
      session.pending = pending.subarray(expects);
      session.expects = 'command';
      if (session.isLast) take(session, 'BDAT');
      else reply(session, 'BDAT', '');
      return true;
    }
    if (expects === 'data') {
      const atOnce = pending.subarray(0, 3).equals(Buffer.from('.\r\n'));
      const end = atOnce ? 0 : pending.indexOf('\r\n.\r\n');
      if (end < 0) return false;
      const stuffed = pending.toString('latin1', 0, atOnce ? 0 : end + 2);
      session.chunks = [Buffer.from(stuffed.replace(/(^|\r\n)\./g, '$1'), 'latin1')];
      session.pending = pending.subarray(end + (atOnce ? 3 : 5));
      take(session, 'DATA');
      return true;
    }
    const end = pending.indexOf('\r\n');
    if (end < 0) return false;
    session.pending = pending.subarray(end + 2);
    command(session, pending.toString('utf8', 0, end));
    return true;
  };

  const listen = (session: Session): void => {
    session.socket.on('error', () => session.socket.destroy());
    session.socket.on('data', (chunk: Buffer) => {
      session.pending = Buffer.concat([session.pending, chunk]);
      while (step(session));
    });
    session.socket.on('close', () => open.delete(session));
  };

  const server = createServer({ noDelay: true }, (socket) => {
    const session: Session = {
      socket,
      number: ++sessions,
      pending: Buffer.alloc(0),
      secure: false,
      mail: '',
      rcpt: [],
      expects: 'command',
      chunks: [],
      isLast: false,
    };
    open.add(session);
    if (options.implicitTls) encrypt(session, options.implicitTls);
    else listen(session);
    reply(session, 'CONNECT', '');
  });
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const { socket } of open) socket.destroy();
  };
  t.after(() => {
    cut();
    server.close();
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    host: address,
    port,
    messages,
    lines,
    sessions: () => sessions,
    contents: () => contents,
    open: () => open.size,
    cut,
    shout(text) {
      for (const { socket } of open) socket.write(text);
    },
  };
}
