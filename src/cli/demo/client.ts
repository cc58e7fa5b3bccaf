/**
 * A plain SMTP client: sends the given lines, however wrong, and returns the replies. Independent of the product's
 * own client, so that it can be a witness; used by `postern demo` and the system tests.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface ClientReply {
  readonly code: number;
  readonly lines: readonly string[];
}

export class SmtpConversation {
  readonly socket: Socket;
  #buffered = '';
  #replies: ClientReply[] = [];
  #lines: string[] = [];
  #waiting: ((reply: ClientReply | undefined) => void)[] = [];
  #ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', () => this.#end());
    socket.on('close', () => this.#end());
  }

  static async open(port: number, host = '127.0.0.1', localAddress?: string): Promise<SmtpConversation> {
    const socket = connect({ port, host, localAddress });
    const conversation = new SmtpConversation(socket);
    await once(socket, 'connect');
    return conversation;
  }

  /** TLS from the first byte, with any certificate of the server. */
  static async openTls(port: number, host = '127.0.0.1'): Promise<SmtpConversation> {
    const socket = connectTls({ port, host, rejectUnauthorized: false });
    const conversation = new SmtpConversation(socket);
    await once(socket, 'secureConnect');
    return conversation;
  }

  #take(text: string): void {
    this.#buffered += text;
    for (let end = this.#buffered.indexOf('\r\n'); end >= 0; end = this.#buffered.indexOf('\r\n')) {
      const line = this.#buffered.slice(0, end);
      this.#buffered = this.#buffered.slice(end + 2);
      this.#lines.push(line);
      if (line[3] === '-') continue;
      const reply = { code: Number(line.slice(0, 3)), lines: this.#lines };
      this.#lines = [];
      const next = this.#waiting.shift();
      if (next) next(reply);
      else this.#replies.push(reply);
    }
  }

  #end(): void {
    this.#ended = true;
    for (const next of this.#waiting.splice(0)) next(undefined);
  }

  /** The next reply, or undefined when the connection ended before one came. */
  reply(): Promise<ClientReply | undefined> {
    const present = this.#replies.shift();
    if (present) return Promise.resolve(present);
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  write(data: string | Buffer): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'utf8') : data);
  }

  /** Sends a line and waits for its reply; code 0 when the connection ended. */
  async say(line: string): Promise<ClientReply> {
    this.write(`${line}\r\n`);
    return (await this.reply()) ?? { code: 0, lines: [] };
  }

  async content(data: string | Buffer): Promise<ClientReply> {
    this.write(stuffed(data));
    return (await this.reply()) ?? { code: 0, lines: [] };
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Dot-stuffed (RFC 5321 4.5.2) and ended. */
export function stuffed(data: string | Buffer): Buffer {
  const text = (typeof data === 'string' ? Buffer.from(data, 'utf8') : data)
    .toString('latin1')
    .replace(/(^|\r\n)\./g, '$1..');
  return Buffer.from(`${text}${text.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1');
}

export interface Sent {
  readonly greeting: number;
  readonly mail?: ClientReply;
  readonly recipients: readonly ClientReply[];
  /** The final reply, or the first refusal. */
  readonly final: ClientReply;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly content: string | Buffer;
  readonly localAddress?: string;
  /** Authenticates first, over TLS: the port must support it. */
  readonly signIn?: Credentials;
  readonly mailParameters?: string;
  readonly rcptParameters?: string;
}

/** RFC 4616 2, the response with the command (RFC 4954 4). */
function plain({ username, password }: Credentials): string {
  return `AUTH PLAIN ${Buffer.from(`\0${username}\0${password}`).toString('base64')}`;
}

/** One message in one session. */
export async function send(port: number, mail: Mail): Promise<Sent> {
  const client = mail.signIn
    ? await SmtpConversation.openTls(port)
    : await SmtpConversation.open(port, '127.0.0.1', mail.localAddress);
  try {
    const greeting = await client.reply();
    if (greeting?.code !== 220)
      return { greeting: greeting?.code ?? 0, recipients: [], final: greeting ?? { code: 0, lines: [] } };
    await client.say('EHLO client.example');
    const signedIn = mail.signIn && (await client.say(plain(mail.signIn)));
    if (signedIn && signedIn.code !== 235) return { greeting: 220, recipients: [], final: signedIn };
    const reversePath = await client.say(
      `MAIL FROM:<${mail.from}>${mail.mailParameters ? ` ${mail.mailParameters}` : ''}`,
    );
    if (reversePath.code !== 250) return { greeting: 220, mail: reversePath, recipients: [], final: reversePath };
    const recipients: ClientReply[] = [];
    for (const to of mail.to)
      recipients.push(await client.say(`RCPT TO:<${to}>${mail.rcptParameters ? ` ${mail.rcptParameters}` : ''}`));
    if (!recipients.some((reply) => reply.code < 300))
      return { greeting: 220, mail: reversePath, recipients, final: recipients[0]! };
    const data = await client.say('DATA');
    const final = data.code === 354 ? await client.content(mail.content) : data;
    await client.say('QUIT');
    return { greeting: 220, mail: reversePath, recipients, final };
  } finally {
    client.close();
  }
}
