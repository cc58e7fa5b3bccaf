/**
 * Dialogues an operator can read, held with a real server over a real socket.
 *
 *   S: 250 2.1.0     the next reply has that code (and status), whatever its wording and lines
 *   S: 250 .. DSN    ... and one of its lines contains `DSN`
 *   C: MAIL ...      said with CRLF; `\r`, `\n`, `\0`, `\t`, `\xHH` and `\\` stand for themselves
 *   C~ text          said as it is, without CRLF
 *   -- TLS           the client begins TLS
 *   -- END           the server ends the connection, having said no more
 *   -- HALF          the client says it will send no more
 *
 * One `C:` line may hold several commands (`a\r\nb`): they leave in one write.
 */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createReplyParser } from '../../src/protocol/smtp/reply.ts';
import type { Reply } from '../../src/protocol/smtp/types.ts';
import type { CertificateAndKey } from '../../src/world/tls.ts';

export interface ClientOptions {
  readonly port: number;
  readonly host?: string;
  /** TLS from the first byte. */
  readonly implicitTls?: boolean;
  readonly localAddress?: string;
  /** Presented in STARTTLS to a server that asks. */
  readonly certificate?: CertificateAndKey;
  /** Sent as soon as the connection is up. */
  readonly first?: string | Buffer;
  /** Write one byte at a time (each in its own segment where the system allows). */
  readonly byteByByte?: boolean;
  /** Guards against hanging; measures nothing. */
  readonly guardMs?: number;
}

export interface Client {
  readonly socket: () => Socket;
  say(text: string | Buffer): Promise<void>;
  hear(): Promise<Reply>;
  startTls(): Promise<void>;
  /** Resolves when the server has ended the connection; rejects if it sends something first. */
  ended(): Promise<void>;
  /** Replies that arrived and were not read yet. */
  readonly unread: readonly Reply[];
  close(): void;
}

export async function openClient(options: ClientOptions): Promise<Client> {
  const { port, host = '127.0.0.1', guardMs = 10_000 } = options;
  let parser = createReplyParser();
  const replies: Reply[] = [];
  let wake: () => void = () => {};
  let over = false;

  const attach = (socket: Socket): Socket => {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      const problem = parser.push(chunk, chunk.length, (reply) => replies.push(reply));
      assert.equal(problem, undefined, `the server does not speak SMTP: ${chunk}`);
      wake();
    });
    const end = (): void => {
      over = true;
      wake();
    };
    socket.on('end', end).on('close', end).on('error', end);
    return socket;
  };

  const until = async (ready: () => boolean, what: string): Promise<void> => {
    const guard = setTimeout(() => {
      over = true;
      wake();
    }, guardMs);
    while (!ready() && !over) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    clearTimeout(guard);
    assert.ok(ready(), `waited in vain for ${what}`);
  };

  const opened = (event: 'connect' | 'secureConnect', created: Socket): Promise<Socket> =>
    new Promise((resolve, reject) => {
      if (options.first !== undefined && event === 'connect') created.write(options.first);
      created.once(event, () => resolve(created)).once('error', reject);
    });
  let socket = await (options.implicitTls
    ? opened('secureConnect', connectTls({ port, host, rejectUnauthorized: false }))
    : opened(
        'connect',
        connect({
          port,
          host,
          allowHalfOpen: true,
          ...(options.localAddress ? { localAddress: options.localAddress } : {}),
        }),
      ));
  attach(socket);
  const own = options.certificate && { cert: options.certificate.certificate, key: options.certificate.key };

  return {
    socket: () => socket,
    unread: replies,
    async say(text) {
      const bytes = typeof text === 'string' ? Buffer.from(text) : text;
      if (!options.byteByByte) {
        socket.write(bytes);
        return;
      }
      for (const byte of bytes) {
        socket.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async hear() {
      await until(() => replies.length > 0, 'a reply');
      return replies.shift()!;
    },
    async startTls() {
      socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close');
      parser = createReplyParser();
      socket = await opened('secureConnect', connectTls({ socket, rejectUnauthorized: false, ...own }));
      attach(socket);
    },
    async ended() {
      await until(() => over || replies.length > 0, 'the end');
      assert.deepEqual(replies, [], 'the server said more before the end');
    },
    close: () => socket.destroy(),
  };
}

/** Runs a dialogue to its last line; the connection stays open for more, and `close` closes it. */
export async function dialogue(options: ClientOptions | Client, script: string): Promise<Client> {
  const client = 'hear' in options ? options : await openClient(options);
  try {
    for (const raw of script.split('\n')) {
      const line = raw.trim();
      if (line !== '') await step(client, line);
    }
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

async function step(client: Client, line: string): Promise<void> {
  const text = line.slice(3);
  if (line.startsWith('C:')) return client.say(Buffer.concat([wireBytes(text), Buffer.from('\r\n')]));
  if (line.startsWith('C~')) return client.say(wireBytes(text));
  if (line.startsWith('S:')) return expectReply(await client.hear(), text);
  if (line === '-- TLS') return client.startTls();
  if (line === '-- END') return client.ended();
  assert.equal(line, '-- HALF', `a dialogue has no such line: ${line}`);
  client.socket().end();
}

function expectReply(reply: Reply, expected: string): void {
  const [codes, part] = expected.split(' .. ', 2) as [string, string?];
  const [code, enhanced] = codes.trim().split(' ') as [string, string?];
  const lines = typeof reply.text === 'string' ? [reply.text] : reply.text;
  const said = `${reply.code} ${reply.enhanced ?? ''} ${lines.join(' | ')}`;
  assert.equal(String(reply.code), code, `expected ${expected}, received ${said}`);
  if (enhanced !== undefined) assert.equal(reply.enhanced, enhanced, `expected ${expected}, received ${said}`);
  if (part !== undefined)
    assert.ok(
      lines.some((text) => text.includes(part)),
      `expected ${expected}, received ${said}`,
    );
}

const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '0': '\0', '\\': '\\' };

function wireBytes(text: string): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (const match of text.matchAll(/\\(?:x([0-9a-f]{2})|([rnt0\\]))/g)) {
    parts.push(Buffer.from(text.slice(from, match.index)));
    parts.push(match[1] ? Buffer.from(match[1], 'hex') : Buffer.from(ESCAPES[match[2]!]!));
    from = match.index + match[0].length;
  }
  parts.push(Buffer.from(text.slice(from)));
  return Buffer.concat(parts);
}
