/** Thousands of clients that greet and then say nothing, from many loopback addresses as if from many networks. */
import { connect, type Socket } from 'node:net';
import type { Endpoint } from '../product/product.ts';

/** So many at a time may be between SYN and greeting: the listen queue is finite. */
const AT_A_TIME = 200;
const CONNECTIONS_AN_ADDRESS = 20;

export async function openIdleClients(target: Endpoint, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const wanted = Math.min(AT_A_TIME, count - sockets.length);
    const batch = Array.from({ length: wanted }, (_, i) => openOne(target, addressOf(sockets.length + i)));
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** 127.1.0.0/16 is all this machine. */
function addressOf(n: number): string {
  const host = Math.floor(n / CONNECTIONS_AN_ADDRESS);
  return `127.1.${Math.floor(host / 250)}.${(host % 250) + 1}`;
}

/** Connected, greeted, and answered to EHLO. */
function openOne(target: Endpoint, localAddress: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...target, localAddress });
    let prior = '';
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`the server closed an idle connection: ${prior.slice(0, 200)}`)));
    socket.on('data', (bytes) => {
      const first = prior === '';
      prior += bytes.toString('latin1');
      if (first && prior.startsWith('220')) socket.write('EHLO client.elsewhere.example\r\n');
      if (/^250 /m.test(prior)) resolve(socket);
    });
  });
}
