/** A client that pipelines RCPT after RCPT (RFC 2920) and sends no message, as an address harvester does. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Endpoint } from '../product/product.ts';

/** Recipients of one MAIL: what fits into a window of TCP, and below any server's bound. */
const PIPELINED = 50;

/** How often each reply code was given to a RCPT, over so many connections that share the addresses. */
export async function askRecipients(
  server: Endpoint,
  connections: number,
  addresses: Iterator<string>,
): Promise<Readonly<Record<string, number>>> {
  const replies: Record<string, number> = {};
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ ...server, noDelay: true });
      await once(socket, 'connect');
      const next = replyCodes(socket);
      await next();
      socket.write('EHLO client.example\r\n');
      await next();
      for (let some = take(addresses); some.length > 0; some = take(addresses)) {
        const commands = ['MAIL FROM:<>', ...some.map((address) => `RCPT TO:<${address}>`), 'RSET'];
        socket.write(`${commands.join('\r\n')}\r\n`);
        await next();
        for (const _ of some) {
          const code = await next();
          replies[code] = (replies[code] ?? 0) + 1;
        }
        await next();
      }
      socket.end('QUIT\r\n');
      await once(socket.resume(), 'close');
    }),
  );
  return replies;
}

function take(addresses: Iterator<string>): string[] {
  const taken: string[] = [];
  while (taken.length < PIPELINED) {
    const { done, value } = addresses.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

/** The code of the next reply, without its continuation lines. */
function replyCodes(socket: Socket): () => Promise<string> {
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  return async () => {
    for (;;) {
      const { done, value } = await lines.next();
      if (done) throw new Error('the server closed the connection before it answered');
      if (value[3] !== '-') return value.slice(0, 3);
    }
  };
}
