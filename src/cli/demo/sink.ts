/**
 * A small SMTP server that plays the organisation's mail server: it accepts mail and keeps it. Deliberately
 * independent of the product's own SMTP engine, so that it can be a witness. Used by `postern demo` and by the system
 * tests; listens on loopback only.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface SunkMessage {
  readonly from: string;
  readonly to: readonly string[];
  /** As received, dots removed, CRLF line ends, without the final dot. */
  readonly content: Buffer;
}

export interface SinkOptions {
  readonly host?: string;
  readonly port?: number;
  /** EHLO keywords besides the name; default PIPELINING, 8BITMIME, SMTPUTF8, DSN, SIZE. */
  readonly extensions?: readonly string[];
  /** A reply line for a recipient in place of `250 2.1.5 ok`; asked for each RCPT. */
  readonly onRecipient?: (address: string) => string | undefined;
  /** A reply line for a whole message in place of `250 2.0.0 ok`. */
  readonly onMessage?: (message: SunkMessage) => string | undefined;
}

export interface Sink {
  readonly host: string;
  readonly port: number;
  readonly messages: readonly SunkMessage[];
  /** Resolves with the first message, past or future, that satisfies. */
  next(satisfies: (message: SunkMessage) => boolean): Promise<SunkMessage>;
  close(): Promise<void>;
}

const DEFAULT_EXTENSIONS = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'DSN', 'SIZE 104857600'];

interface Conversation {
  /** Input without a complete command line. */
  buffered: Buffer;
  /** The content so far, and its last bytes: joined once the end is there, as it may come in many pieces. */
  chunks: Buffer[];
  tail: string;
  from: string;
  to: string[];
  inData: boolean;
}

export async function startSink(options: SinkOptions = {}): Promise<Sink> {
  const messages: SunkMessage[] = [];
  const waiting = new Set<(message: SunkMessage) => void>();
  const sockets = new Set<Socket>();
  const keep = (message: SunkMessage): string => {
    const refusal = options.onMessage?.(message);
    if (refusal) return refusal;
    messages.push(message);
    for (const tell of waiting) tell(message);
    return '250 2.0.0 ok';
  };
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const state: Conversation = { buffered: Buffer.alloc(0), chunks: [], tail: '', from: '', to: [], inData: false };
    socket.write('220 organisation.example ESMTP\r\n');
    socket.on('data', (chunk: Buffer) => {
      state.buffered = state.buffered.length === 0 ? chunk : Buffer.concat([state.buffered, chunk]);
      const replies = converse(state, options, keep);
      if (replies.length > 0) socket.write(replies.map((reply) => `${reply}\r\n`).join(''));
      if (replies.at(-1)?.startsWith('221')) socket.end();
    });
  });
  server.listen(options.port ?? 0, options.host ?? '127.0.0.2');
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    host: address,
    port,
    messages,
    next(satisfies) {
      const present = messages.find(satisfies);
      if (present) return Promise.resolve(present);
      return new Promise((resolve) => {
        const tell = (message: SunkMessage): void => {
          if (!satisfies(message)) return;
          waiting.delete(tell);
          resolve(message);
        };
        waiting.add(tell);
      });
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Takes as many whole lines (or the whole content) as are buffered; returns the replies to write. */
function converse(state: Conversation, options: SinkOptions, keep: (message: SunkMessage) => string): string[] {
  const replies: string[] = [];
  for (;;) {
    if (state.inData) {
      const message = takeContent(state);
      if (!message) return replies;
      replies.push(keep(message));
      continue;
    }
    const end = state.buffered.indexOf('\r\n');
    if (end < 0) return replies;
    const line = state.buffered.toString('utf8', 0, end);
    state.buffered = state.buffered.subarray(end + 2);
    replies.push(...answer(state, line, options));
  }
}

function takeContent(state: Conversation): SunkMessage | undefined {
  const END = '\r\n.\r\n';
  const came = state.buffered;
  state.buffered = Buffer.alloc(0);
  if (came.length === 0) return undefined;
  state.chunks.push(came);
  // The last bytes of earlier chunks, and the new one: the end may be cut anywhere.
  const seen = state.tail + came.toString('latin1');
  const end = seen.indexOf(END);
  if (end < 0) {
    state.tail = seen.slice(-(END.length - 1));
    return undefined;
  }
  const all = Buffer.concat(state.chunks);
  const behind = seen.length - end - END.length;
  const stuffed = all.toString('latin1', 0, Math.max(0, all.length - behind - 3));
  const content = Buffer.from(stuffed.replace(/(^|\r\n)\./g, '$1'), 'latin1');
  state.buffered = all.subarray(all.length - behind);
  state.chunks = [];
  state.inData = false;
  const message = { from: state.from, to: state.to, content };
  state.to = [];
  return message;
}

function answer(state: Conversation, line: string, options: SinkOptions): string[] {
  const verb = line.slice(0, 4).toUpperCase();
  if (verb === 'EHLO') {
    const lines = ['organisation.example', ...(options.extensions ?? DEFAULT_EXTENSIONS)];
    return lines.map((text, i) => `250${i === lines.length - 1 ? ' ' : '-'}${text}`);
  }
  if (verb === 'MAIL') {
    state.from = /<([^>]*)>/.exec(line)?.[1] ?? '';
    state.to = [];
    return ['250 2.1.0 ok'];
  }
  if (verb === 'RCPT') {
    const address = /<([^>]*)>/.exec(line)?.[1] ?? '';
    const reply = options.onRecipient?.(address) ?? '250 2.1.5 ok';
    if (reply.startsWith('2')) state.to.push(address);
    return [reply];
  }
  if (verb === 'DATA') {
    if (state.to.length === 0) return ['554 5.5.1 no valid recipients'];
    state.inData = true;
    // The line before the content ended with CRLF.
    state.tail = '\r\n';
    return ['354 go ahead'];
  }
  if (verb === 'QUIT') return ['221 2.0.0 bye'];
  return ['HELO', 'RSET', 'NOOP'].includes(verb) ? ['250 2.0.0 ok'] : ['500 5.5.2 what?'];
}
