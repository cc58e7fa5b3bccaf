/** The listener under an SMTP server: PROXY, XCLIENT, implicit TLS, addresses in use. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { isOperational } from '../../src/model/errors.ts';
import { dialogue, openClient } from '../support/dialogue.ts';
import { startReceiver } from '../support/receive/services.ts';

const V1 = 'PROXY TCP4 198.51.100.7 192.0.2.25 4321 25\r\n';
const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc6336407c000021910e10019', 'hex');
const LOOPBACK = ['127.0.0.0/8'];

const MAIL = `
  S: 220
  C: EHLO client.example
  S: 250
  C: MAIL FROM:<>
  S: 250
`;

test('a trusted proxy says who its client is, in both versions', async (t) => {
  for (const header of [Buffer.from(V1), V2]) {
    for (const proxy of ['optional', 'required'] as const) {
      const node = await startReceiver(t, { proxy, trustedProxies: LOOPBACK });
      const client = await dialogue({ ...node, first: header }, MAIL);
      client.close();
      const [facts] = node.seen;
      assert.deepEqual(facts?.client, { address: '198.51.100.7', port: 4321 });
      assert.equal(facts.proxy?.address, '127.0.0.1');
    }
  }
});

test('a header that comes byte by byte is the same header', async (t) => {
  const node = await startReceiver(t, { proxy: 'required', trustedProxies: LOOPBACK });
  const client = await openClient({ ...node, byteByByte: true });
  await client.say(V2);
  await dialogue(client, MAIL);
  client.close();
  assert.equal(node.seen[0]?.client.address, '198.51.100.7');
});

test('where a proxy is optional, who stays silent is greeted as itself', async (t) => {
  const node = await startReceiver(t, { proxy: 'optional', trustedProxies: LOOPBACK });
  const client = await dialogue(node, MAIL);
  client.close();
  assert.equal(node.seen[0]?.client.address, '127.0.0.1');
  assert.equal(node.seen[0].proxy, undefined);
});

test('where a proxy is required, what is no header ends the connection', async (t) => {
  const node = await startReceiver(t, { proxy: 'required', trustedProxies: LOOPBACK });
  for (const [said, reason] of [
    ['EHLO client.example\r\n', 'proxy-missing'],
    ['PROXY TCP4 nonsense\r\n', 'proxy-malformed'],
  ]) {
    const client = await dialogue({ ...node, first: said! }, 'S: 421 4.3.5\n -- END');
    client.close();
    assert.equal(node.events.last('wire.refused')?.reason, reason);
  }
});

test('a client that speaks early through a proxy is refused', async (t) => {
  const node = await startReceiver(t, { proxy: 'required', trustedProxies: LOOPBACK });
  const client = await dialogue({ ...node, first: `${V1}EHLO client.example\r\n` }, 'S: 554 5.5.1\n -- END');
  client.close();
  assert.equal((await node.sessionEnded()).facts.client.address, '198.51.100.7');
});

test('TLS may begin in the same segment as the PROXY header', async (t) => {
  const node = await startReceiver(t, { profile: 'submissions', proxy: 'required', trustedProxies: LOOPBACK });
  const plain = connect({ port: node.port, host: '127.0.0.1' });
  await new Promise((resolve) => plain.once('connect', resolve));
  let before = Buffer.from(V1);
  const transport = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      plain.write(Buffer.concat([before, chunk]), done);
      before = Buffer.alloc(0);
    },
  });
  plain.on('data', (chunk) => transport.push(chunk));
  const secure = connectTls({ socket: transport, rejectUnauthorized: false });
  const greeting = await new Promise<string>((resolve) => secure.once('data', (chunk) => resolve(String(chunk))));
  assert.match(greeting, /^220 /);
  plain.destroy();
  const record = await node.sessionEnded();
  assert.equal(record.facts.client.address, '198.51.100.7');
  assert.equal(record.facts.tls?.protocol, 'TLSv1.3');
});

test('XCLIENT begins the session anew with another client', async (t) => {
  const node = await startReceiver(t, { trustedProxies: LOOPBACK });
  const client = await dialogue(
    node,
    `
    S: 220
    C: EHLO proxy.example
    S: 250 .. XCLIENT NAME ADDR PORT PROTO HELO
    C: XCLIENT ADDR=IPV6:2001:DB8::7 PORT=99 HELO=client.example PROTO=ESMTP
    S: 220
    C: MAIL FROM:<>
    S: 250
    C: XCLIENT ADDR=10.0.0.1
    S: 503 5.5.1
  `,
  );
  client.close();
  const [facts] = node.seen;
  assert.deepEqual(facts?.client, { address: '2001:db8::7', port: 99 });
  assert.equal(facts.proxy?.address, '127.0.0.1');
  assert.equal(facts.helo, 'client.example');
});

test('further XCLIENT facts may follow, another client may not', async (t) => {
  const node = await startReceiver(t, { trustedProxies: LOOPBACK });
  const client = await dialogue(
    node,
    `
    S: 220
    C: EHLO proxy.example
    S: 250
    C: XCLIENT ADDR=198.51.100.7
    S: 220
    C: XCLIENT PORT=99 PROTO=ESMTP
    S: 220
    C: XCLIENT ADDR=127.0.0.2
    S: 550 5.7.0
    C: EHLO client.example
    S: 250
    C: MAIL FROM:<>
    S: 250
  `,
  );
  client.close();
  assert.deepEqual(node.seen[0]?.client, { address: '198.51.100.7', port: 99 });
});

test('who comes through a proxy that says XCLIENT has its share of connections, like anybody', async (t) => {
  const node = await startReceiver(t, {
    trustedProxies: LOOPBACK,
    settings: { 'smtp.maxConnectionsPerNetwork': 2 },
  });
  const begun = 'S: 220\n C: EHLO proxy.example\n S: 250\n C: XCLIENT ADDR=198.51.100.7\n';
  const clients = [await dialogue(node, `${begun} S: 220`), await dialogue(node, `${begun} S: 220`)];
  const third = await dialogue(node, `${begun} S: 421 4.7.0\n -- END`);
  assert.equal(node.events.count('wire.refused'), 1);
  clients[0]!.close();
  await node.sessionEnded();
  const again = await dialogue(node, `${begun} S: 220`);
  for (const client of [...clients, third, again]) client.close();
});

test('an address in use is an error that names it', async (t) => {
  const node = await startReceiver(t);
  await assert.rejects(
    node.receiver.listen({ profile: 'mx', host: '127.0.0.1', port: node.port, proxy: 'off' }),
    (error) =>
      isOperational(error, 'wire.listen') &&
      error.message.includes(`in use by another program): current value is 127.0.0.1:${node.port}`),
  );
});

test('a stop in the middle of a handshake or a silent proxy leaves nothing behind', async (t) => {
  const node = await startReceiver(t, { profile: 'submissions', proxy: 'optional', trustedProxies: LOOPBACK });
  const sockets = [1, 2, 3].map(() => connect({ port: node.port, host: '127.0.0.1' }).on('error', () => {}));
  while (node.receiver.connections < 3) await new Promise((resolve) => setImmediate(resolve));
  await node.receiver.drain(5000);
  assert.equal(node.receiver.connections, 0);
  for (const socket of sockets) socket.destroy();
});
