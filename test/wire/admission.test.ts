import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { limitConnections } from '../../src/wire/admission.ts';

const LIMITS = { connections: 32, connectionsPerNetwork: 8 };

async function serve(t: TestContext) {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    if (socket.destroyed) return;
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    socket.write('hello');
  });
  limitConnections(server, LIMITS);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  /** Whether it is served; it stays open. */
  const from = (localAddress: string): Promise<boolean> => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    return new Promise((resolve) => {
      socket.once('data', () => resolve(true));
      socket.once('close', () => resolve(false));
    });
  };
  const count = async (times: number, address: (n: number) => string): Promise<number> => {
    let served = 0;
    for (let n = 0; n < times; n++) if (await from(address(n))) served++;
    return served;
  };
  return { from, count, open };
}

test('an attacker who holds the places of one address, then of a /24, leaves room for others at the console, health and Minger', async (t) => {
  const { from, count, open } = await serve(t);
  assert.equal(await count(12, () => '127.0.0.9'), 8);
  assert.equal(await count(20, (n) => `127.0.0.${10 + n}`), 8, 'the site has half of the places');
  assert.equal(await from('127.0.5.1'), false, 'and its provider more than a quarter');
  assert.equal(await from('127.5.0.1'), true, 'somebody else is served');
  assert.equal(open.size, 17);
  for (const socket of open) socket.destroy();
  while (open.size > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await from('127.0.0.9'), true, 'places come back');
});
