/** The Minger server, asked by our own source, and by datagrams and lines as anybody may send them. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { MINGER_CONNECTIONS_OF_ONE } from '../../src/access/limits.ts';
import { serveMinger } from '../../src/access/minger.ts';
import { mingerSettings } from '../../src/access/settings.ts';
import type { Resolution } from '../../src/directory/contract.ts';
import { defineSource, type MingerOptions } from '../../src/directory/sources/definition.ts';
import { mingerSource } from '../../src/directory/sources/minger.ts';
import type { Clock } from '../../src/world/clock.ts';
import { question, services } from '../directory/support/questions.ts';
import { settings } from '../screen/world.ts';
import { manualClock } from '../support/clock.ts';

const SECRET = 'abcdefghijklmnop';
/** The published vectors: secret `abcdefghijklmnop`, and the mailbox as it is sent. */
const VECTORS = ['arvel@example.com d=GbfeK+Xm+dVH30a5hby2pg==', 'Arvel@Example.com d=abiQv0cU0EKxfXz1CJMW4w=='];

async function server(t: TestContext, table: Record<string, unknown> = {}, secret: string | undefined = SECRET) {
  const known: Record<string, Resolution> = {
    arvel: { kind: 'local', targets: [], viaAlias: false },
    unsure: { kind: 'cannot-tell', reason: 'the source is down' },
  };
  const clock = manualClock();
  const minger = await serveMinger(
    { address: '127.0.0.1', port: 0 },
    {
      clock,
      settings: settings(table),
      secret: () => secret,
      hasAccount: async (key) => key === 'dora@example.com',
      resolve: (_, { local }) => known[local.toLowerCase()] ?? { kind: 'unknown-user' },
    },
  );
  t.after(() => minger.close());
  return { ...minger, clock };
}

async function byTcp(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('utf8');
  let heard = '';
  socket.on('data', (more: string) => {
    heard += more;
  });
  socket.end(text);
  await once(socket, 'close');
  return heard;
}

async function byUdp(t: TestContext, port: number, text: string): Promise<string> {
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.send(text, port, '127.0.0.1');
  const [answer] = (await once(socket, 'message')) as [Buffer];
  return answer.toString();
}

const source = (port: number, transport: 'udp' | 'tcp', secret: string | undefined = SECRET, clock?: Clock) => {
  const { options } = defineSource('minger', { host: '127.0.0.1', port, transport }, secret !== undefined);
  return mingerSource(options as MingerOptions, secret, services(clock));
};

test('the published vectors are answered over both transports', async (t) => {
  const { port } = await server(t);
  for (const vector of VECTORS) {
    const answer = `${vector.split(' ')[0]} 5`;
    assert.equal(await byUdp(t, port, vector), answer);
    assert.equal(await byTcp(port, `${vector}\r\n`), `${answer}\r\n`);
    assert.equal(await byTcp(port, vector), `${answer}\r\n`);
  }
});

for (const transport of ['udp', 'tcp'] as const) {
  test(`our source and our server understand each other by ${transport}`, async (t) => {
    const { port } = await server(t);
    const { verify } = source(port, transport);
    assert.deepEqual(await verify(question('arvel@example.com')), { kind: 'yes' });
    assert.deepEqual(await verify(question('nobody@example.com')), { kind: 'no' });
    assert.deepEqual(await verify(question('dora@example.com')), { kind: 'yes', unavailable: 'disabled' });
    assert.deepEqual(await verify(question('"of two words"@example.com')), { kind: 'no' });
  });

  test(`a wrong secret makes nobody disappear by ${transport}`, async (t) => {
    const { port } = await server(t);
    const answer = await source(port, transport, 'another-secret-of-ours').verify(question('nobody@example.com'));
    assert.equal(answer.kind, 'cannot-tell');
  });
}

test('the attacker asks without the secret, and learns nothing', async (t) => {
  const { port } = await server(t);
  for (const name of ['arvel', 'nobody'])
    assert.equal(await byUdp(t, port, `${name}@example.com`), `${name}@example.com 2`);
});

test('a network that may ask without the secret is answered', async (t) => {
  const { port } = await server(t, { [mingerSettings.anonymousNetworks.key]: ['127.0.0.0/8'] }, undefined);
  assert.equal(await byUdp(t, port, 'arvel@example.com'), 'arvel@example.com 5');
});

test('what cannot be told is not answered', async (t) => {
  const { port } = await server(t, { [mingerSettings.anonymousNetworks.key]: ['127.0.0.1'] });
  assert.equal(await byTcp(port, 'unsure@example.com\r\n'), '');
});

test('the attacker guesses addresses by the thousand, and is answered no more within the minute', async (t) => {
  const { port, clock } = await server(t, { [mingerSettings.questionsPerMinute.key]: 20 });
  assert.equal(await byTcp(port, 'a@example.com\r\n'), 'a@example.com 2\r\n');
  assert.equal(await byTcp(port, 'b@example.com\r\n'), 'b@example.com 2\r\n');
  assert.equal(await byTcp(port, 'c@example.com\r\n'), '');
  await clock.advance(61_000);
  assert.equal(await byTcp(port, 'd@example.com\r\n'), 'd@example.com 2\r\n');
});

test('the attacker holds as many connections as one network may have, and another network is answered', async (t) => {
  const { port } = await server(t);
  const open = async (): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.7.9', allowHalfOpen: true });
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  for (let n = 0; n < MINGER_CONNECTIONS_OF_ONE; n++) await open();
  const beyond = await open();
  beyond.resume();
  await once(beyond, 'end');
  assert.equal(await byTcp(port, 'arvel@example.com\r\n'), 'arvel@example.com 2\r\n');
});

test('malformed questions are answered 0, and endless lines not at all', async (t) => {
  const { port } = await server(t);
  assert.equal(await byUdp(t, port, 'nonsense'), 'nonsense 0');
  assert.equal(await byTcp(port, 'x'.repeat(5000)).catch(() => ''), '');
});

test('the attacker answers in the place of the server, for another mailbox, and is not believed', async (t) => {
  const fake = createSocket('udp4');
  fake.bind(0, '127.0.0.1');
  await once(fake, 'listening');
  t.after(() => fake.close());
  fake.on('message', (_, { port, address }) => {
    fake.send('somebody-else@example.com 3', port, address);
    fake.send('garbage', port, address);
    fake.send('Alice@Example.com 5\r\n\0', port, address);
  });
  const asked = question('alice@example.com');
  assert.deepEqual(await source(fake.address().port, 'udp').verify(asked), { kind: 'yes' });
  assert.ok(!asked.dialogue.lines.join().includes('d=G'));
});

test('a server that is silent is asked four times, and given up after five seconds', async (t) => {
  const silent = createSocket('udp4');
  silent.bind(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  let asked = 0;
  const arrivals: (() => void)[] = [];
  silent.on('message', () => {
    asked++;
    arrivals.shift()?.();
  });
  const arrival = (): Promise<void> => new Promise((resolve) => arrivals.push(resolve));
  const clock = manualClock();
  const first = arrival();
  const answer = source(silent.address().port, 'udp', SECRET, clock).verify(question('alice@example.com'));
  const given = assert.rejects(answer, /does not answer/);
  await first;
  for (const ms of [1000, 1000, 2000]) {
    const next = arrival();
    await clock.advance(ms);
    await next;
  }
  await clock.advance(1000);
  await given;
  assert.equal(asked, 4);
});

test('a server that closes the connection says nothing about anybody', async (t) => {
  const rude = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(rude, 'listening');
  t.after(() => void rude.close());
  const { port } = rude.address() as { port: number };
  await assert.rejects(source(port, 'tcp').verify(question('alice@example.com')));
});
