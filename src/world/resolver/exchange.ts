/**
 * One question to one server: UDP from a socket of its own (so a random port, RFC 5452 9.2), TCP when the answer is
 * truncated or the socket receives forgeries. Returns what came; never throws. The caller decides how long it waits:
 * `signal` ends it, and closes everything it opened.
 */
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { DNS_LIMITS } from '../limits.ts';
import type { Random } from '../random.ts';
import type { ServerAddress } from './servers.ts';
import { answersQuery, type DnsMessage, decodeMessage, encodeQuery } from './wire.ts';

export type Exchange = DnsMessage | 'malformed' | 'unreachable';

export interface Query {
  readonly question: Uint8Array;
  readonly edns: boolean;
  /** The answer must repeat the case of the letters (DNS 0x20). */
  readonly exactCase: boolean;
}

/** Never resolves after `signal` is aborted. */
export async function exchange(
  server: ServerAddress,
  query: Query,
  random: Random,
  signal: AbortSignal,
): Promise<Exchange> {
  const id = random.below(0x10000);
  const byDatagram = await askByDatagram(server, id, query, signal);
  if (byDatagram === 'unreachable' || byDatagram === 'malformed') return byDatagram;
  if (byDatagram !== 'forged' && !byDatagram.truncated) return byDatagram;
  return askByStream(server, id, query, signal);
}

function askByDatagram(
  server: ServerAddress,
  id: number,
  { question, edns, exactCase }: Query,
  signal: AbortSignal,
): Promise<Exchange | 'forged'> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
    let strays = 0;
    let open = true;
    const close = (): void => {
      if (!open) return;
      open = false;
      signal.removeEventListener('abort', close);
      socket.close();
    };
    const end = (result: Exchange | 'forged'): void => {
      if (!open) return;
      close();
      resolve(result);
    };
    signal.addEventListener('abort', close, { once: true });
    socket.on('error', () => end('unreachable'));
    socket.on('message', (bytes) => {
      if (answersQuery(bytes, id, question, exactCase)) return end(decodeMessage(bytes) ?? 'malformed');
      strays += 1;
      if (strays >= DNS_LIMITS.strayDatagrams) end('forged');
    });
    // On a connected socket, the kernel drops datagrams from elsewhere, and reports a closed port.
    socket.on('connect', () => {
      if (open) socket.send(encodeQuery(id, question, edns));
    });
    socket.connect(server.port, server.address);
  });
}

function askByStream(
  server: ServerAddress,
  id: number,
  { question, edns, exactCase }: Query,
  signal: AbortSignal,
): Promise<Exchange> {
  return new Promise((resolve) => {
    const socket = connect({ port: server.port, host: server.address });
    const received: Buffer[] = [];
    let bytes = 0;
    let length: number | undefined;
    const close = (): void => {
      signal.removeEventListener('abort', close);
      socket.destroy();
    };
    const end = (result: Exchange): void => {
      close();
      resolve(result);
    };
    signal.addEventListener('abort', close, { once: true });
    socket.on('error', () => end('unreachable'));
    socket.on('end', () => end(bytes === 0 ? 'unreachable' : 'malformed'));
    // RFC 1035 4.2.2: two bytes of length, then the message.
    socket.on('connect', () => socket.write(withLength(encodeQuery(id, question, edns))));
    socket.on('data', (chunk: Buffer) => {
      received.push(chunk);
      bytes += chunk.length;
      if (length === undefined && bytes >= 2) length = Buffer.concat(received).readUInt16BE(0);
      if (length === undefined || bytes < 2 + length) return;
      const answer = Buffer.concat(received).subarray(2, 2 + length);
      end((answersQuery(answer, id, question, exactCase) ? decodeMessage(answer) : undefined) ?? 'malformed');
    });
  });
}

function withLength(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(2 + message.length);
  framed.writeUInt16BE(message.length, 0);
  message.copy(framed, 2);
  return framed;
}

/** DNS 0x20 (draft-vixie-dnsext-dns0x20): one more guess per letter for a forger. */
export function mixCase(question: Uint8Array, random: Random): Uint8Array {
  const mixed = Uint8Array.from(question);
  for (let at = 0; mixed[at] !== 0; at += mixed[at]! + 1) {
    for (let letter = at + 1; letter <= at + mixed[at]!; letter++) {
      const octet = mixed[letter]! | 0x20;
      if (octet >= 0x61 && octet <= 0x7a && random.below(2)) mixed[letter]! ^= 0x20;
    }
  }
  return mixed;
}
