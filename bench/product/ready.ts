import { connect } from 'node:net';
import type { Endpoint } from './product.ts';

const PATIENCE_MS = 30_000;
const PAUSE_MS = 50;

/** True once the server greets; false when it did not within half a minute. */
export async function greets(endpoint: Endpoint): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    if (await greeting(endpoint)) return true;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return false;
}

function greeting({ host, port }: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (greeted: boolean): void => {
      socket.end('QUIT\r\n');
      resolve(greeted);
    };
    socket.once('data', (bytes) => answer(bytes.toString('latin1').startsWith('220')));
    socket.once('error', () => answer(false));
    socket.once('close', () => answer(false));
  });
}
