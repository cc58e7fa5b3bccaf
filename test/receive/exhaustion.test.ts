/** Attacks on what the SMTP server has to give, titled by the attacker's move: floods, slow clients, endless content. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { REFUSED_CONNECTIONS } from '../../src/wire/limits.ts';
import { manualClock } from '../support/clock.ts';
import { type Client, dialogue, openClient } from '../support/dialogue.ts';
import { BEGIN, held, IN_DATA } from '../support/receive/held.ts';
import { startReceiver } from '../support/receive/services.ts';

test('a message that goes on and on after its refusal is cut off', async (t) => {
  const node = await startReceiver(t, { settings: { 'smtp.maxMessageBytes': 65_536 } });
  const client = await dialogue(node, IN_DATA);
  await client.say(Buffer.alloc(200_000, 'x'));
  await dialogue(client, 'S: 552 5.3.4\n -- END');
  client.close();
  await node.sessionEnded();
  assert.equal(node.openSpools(), 0);
});

for (const [move, line] of [
  ['an RSET flood', 'RSET'],
  ['a NOOP flood', 'NOOP'],
  ['an EHLO flood', 'EHLO x'],
] as const) {
  test(`${move} is ended with 421`, async (t) => {
    const node = await startReceiver(t);
    const client = await dialogue(node, 'S: 220');
    await client.say(`${line}\r\n`.repeat(1000));
    const codes: number[] = [];
    for (let code = 0; code !== 421; codes.push(code)) code = (await client.hear()).code;
    await client.ended();
    client.close();
    assert.equal(codes.length, 102);
    assert.equal((await node.sessionEnded()).reason, 'too many commands without a message');
  });
}

const ENVELOPE_SAID = 'MAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.com>\r\n';

for (const [move, begin, line] of [
  ['a flood of MAIL too large to be sent', '', 'MAIL FROM:<> SIZE=999999999'],
  ['a flood of MAIL beyond ASCII', '', 'MAIL FROM:<\u00e9@client.example>'],
  ['a flood of DATA without recipients', 'MAIL FROM:<>\r\n', 'DATA'],
  ['a flood of chunks without recipients', 'MAIL FROM:<>\r\n', 'BDAT 1\r\nx'],
  ['a flood of empty chunks', ENVELOPE_SAID, 'BDAT 0'],
  ['a flood of one recipient said over and over', ENVELOPE_SAID, 'RCPT TO:<alice@example.com>'],
  ['a flood of recipients beyond the limit', ENVELOPE_SAID, 'RCPT TO:<bob@example.com>'],
] as const) {
  test(`${move} is ended with 421, and long lists are not`, async (t) => {
    const node = await startReceiver(t, { settings: { 'smtp.maxRecipients': 1, 'smtp.maxErrors': 30 } });
    const client = await dialogue(node, BEGIN);
    await client.say(begin + `${line}\r\n`.repeat(1000));
    let replies = 0;
    for (let code = 0; code !== 421; replies++) code = (await client.hear()).code;
    await client.ended();
    client.close();
    assert.ok(replies > 10 && replies < 120, `${replies} replies`);
  });
}

test('MAIL and RSET by turns are a flood too', async (t) => {
  const node = await startReceiver(t);
  const client = await dialogue(node, BEGIN);
  await client.say('MAIL FROM:<>\r\nRSET\r\n'.repeat(200));
  for (let code = 0; code !== 421; ) code = (await client.hear()).code;
  await client.ended();
  client.close();
});

test('whoever guesses addresses must come again', async (t) => {
  const node = await startReceiver(t, { settings: { 'smtp.maxRefusedRecipients': 5 } });
  const client = await dialogue(node, `${BEGIN}\n C: MAIL FROM:<>\n S: 250`);
  await client.say('RCPT TO:<nobody@example.com>\r\n'.repeat(7));
  for (let i = 0; i < 5; i++) assert.equal((await client.hear()).code, 550);
  await dialogue(client, 'S: 421 4.7.0\n -- END');
  client.close();
});

test('a browser made to speak SMTP is left at its first line', async (t) => {
  const node = await startReceiver(t);
  await held(
    node,
    'S: 220\n C: POST / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nMAIL FROM:<a@b.example>\n S: 502 5.7.0\n -- END',
  );
});

test('junk, NUL and 8-bit in commands are refused one by one, then the session', async (t) => {
  const node = await startReceiver(t, { settings: { 'smtp.maxErrors': 4 } });
  await held(
    node,
    `
    S: 220
    C: NO\\0OP
    S: 500 5.5.2
    C: EHLO \\xff\\xfe
    S: 500 5.5.2
    C: NOOP\\rQUIT
    S: 500 5.5.2
    C: \\x16\\x03\\x01
    S: 500 5.5.2
    C:
    S: 500 5.5.1
    S: 421 4.7.0
    -- END
  `,
  );
});

test('an overlong line is refused, and the next one is understood', async (t) => {
  const node = await startReceiver(t);
  const client = await dialogue(node, 'S: 220');
  await client.say(`EHLO ${'a'.repeat(20_000)}\r\n`);
  await dialogue(client, 'S: 500 5.5.2\n C: EHLO client.example\n S: 250');
  await client.say(`HELO ${'a'.repeat(1000)}\r\n`);
  await dialogue(client, 'S: 501 5.5.4');
  client.close();
});

test('a line without end is cut off', async (t) => {
  const node = await startReceiver(t);
  const client = await dialogue(node, 'S: 220');
  await client.say(Buffer.alloc(100_000, 'a'));
  await dialogue(client, 'S: 500 5.5.2\n -- END');
  client.close();
});

test('a client that speaks before it is greeted is refused', async (t) => {
  const node = await startReceiver(t);
  const client = await openClient({ ...node, first: 'EHLO client.example\r\nMAIL FROM:<>\r\n' });
  const { code } = await client.hear();
  assert.equal(code, 554);
  await client.ended();
  client.close();
  assert.equal((await node.sessionEnded()).reason, 'early talk');
});

test('a client that does not sit out the pause before the greeting is refused', async (t) => {
  const clock = manualClock();
  const node = await startReceiver(t, { clock, settings: { 'smtp.greetingPauseMs': 5000 } });
  const client = await openClient(node);
  // The sweep and the pause.
  while (clock.pending() < 2) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(4000);
  await new Promise<void>((resolve) => client.socket().write('EHLO client.example\r\n', () => resolve()));
  await clock.advance(1000);
  assert.equal((await client.hear()).code, 554);
  client.close();
});

test('a slow-loris that trickles a command is timed out, trickle or not', async (t) => {
  const clock = manualClock();
  const node = await startReceiver(t, { clock });
  const client = await dialogue(node, BEGIN);
  for (let minute = 0; minute < 4; minute++) {
    await client.say('N');
    await clock.advance(60_000);
  }
  assert.deepEqual(client.unread, []);
  await clock.advance(70_000);
  await dialogue(client, 'S: 421 4.4.2\n -- END');
  client.close();
  assert.equal((await node.sessionEnded()).end, 'timeout');
});

test('a slow-loris that trickles content is timed out in the end', async (t) => {
  const clock = manualClock();
  const node = await startReceiver(t, { clock, settings: { 'smtp.messageTimeoutMs': 600_000 } });
  const client = await dialogue(node, IN_DATA);
  const idle = await dialogue(node, IN_DATA);
  await clock.advance(185_000);
  await dialogue(idle, 'S: 421 4.4.2\n -- END');
  client.close();
  idle.close();
});

test('content that takes longer than a message may is cut, however steadily it comes', async (t) => {
  const clock = manualClock();
  const node = await startReceiver(t, { clock, settings: { 'smtp.messageTimeoutMs': 60_000 } });
  const client = await dialogue(node, IN_DATA);
  await clock.advance(61_000);
  await dialogue(client, 'C: trickle\n S: 421 4.4.2\n -- END');
  client.close();
});

test('a client that never ends is ended when its session has lasted long enough', async (t) => {
  const clock = manualClock();
  const node = await startReceiver(t, { clock, settings: { 'smtp.sessionTimeoutMs': 120_000 } });
  const client = await dialogue(node, BEGIN);
  await clock.advance(60_000);
  await dialogue(client, 'C: NOOP\n S: 250');
  await clock.advance(62_000);
  await dialogue(client, 'S: 421 4.4.2\n -- END');
  client.close();
});

test('a peer that does not end after our last words is cut', async (t) => {
  const clock = manualClock();
  const node = await startReceiver(t, { clock });
  const client = await dialogue(node, 'S: 220\n C: GET / HTTP/1.1\n S: 502 5.7.0\n -- END');
  assert.equal(node.sessions.length, 0);
  await clock.advance(7000);
  assert.equal((await node.sessionEnded()).end, 'closed-by-us');
  client.close();
});

test('a client that said QUIT is not waited for', async (t) => {
  const node = await startReceiver(t, { clock: manualClock() });
  const client = await dialogue(node, 'S: 220\n C: QUIT\n S: 221\n -- END');
  assert.equal((await node.sessionEnded()).end, 'quit');
  client.close();
});

test('a client that sends all and reads nothing is stopped, then cut off', async (t) => {
  const clock = manualClock();
  const node = await startReceiver(t, { clock, settings: { 'smtp.maxIdleCommands': 10_000_000 } });
  const socket = connect({ port: node.port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  const flood = Buffer.from('HELP\r\n'.repeat(10_000));
  // Writes until the system's buffers on the way are full, as the server no longer reads.
  while (await accepted(socket, flood));
  await clock.advance(200_000);
  assert.equal((await node.sessionEnded()).end, 'timeout');
  socket.destroy();
});

test('a client that reads none of its replies for long gets them all once it does', async (t) => {
  const node = await startReceiver(t, { settings: { 'smtp.maxIdleCommands': 10_000_000 } });
  const socket = connect({ port: node.port, host: '127.0.0.1' });
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  let commands = 0;
  do commands += 10_000;
  while (await accepted(socket, Buffer.from('HELP\r\n'.repeat(10_000))));
  let replies = 0;
  for await (const chunk of socket) {
    for (const byte of chunk as Buffer) if (byte === 0x0a) replies++;
    if (replies === commands) break;
  }
  assert.equal(replies, commands);
});

/** Whether the kernel took it all at once or soon; false once it has been stuck for a while. */
function accepted(socket: Socket, bytes: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const stuck = setTimeout(() => resolve(false), 200);
    socket.write(bytes, () => {
      clearTimeout(stuck);
      resolve(true);
    });
  });
}

test('a client that says all at once and no more still gets its replies', async (t) => {
  const node = await startReceiver(t, { onRecipient: async () => undefined });
  const client = await dialogue(
    node,
    `${BEGIN}
    C: MAIL FROM:<>\\r\\nRCPT TO:<alice@example.com>\\r\\nDATA\\r\\na: b\\r\\n\\r\\n.
    -- HALF
    S: 250
    S: 250
    S: 354
    S: 250 2.0.0
    -- END
  `,
  );
  client.close();
  assert.equal(node.committed.length, 1);
  assert.equal((await node.sessionEnded()).end, 'closed-by-client');
});

test('content cut off in the middle is no message', async (t) => {
  const node = await startReceiver(t);
  const client = await dialogue(node, `${IN_DATA}\n C~ Subject: half\\r\\n\\r\\nx\\r\\n.\n -- HALF\n -- END`);
  client.close();
  await node.sessionEnded();
  assert.deepEqual(node.committed, []);
  assert.equal(node.openSpools(), 0);
  assert.match(node.sessions[0]!.dialogue, /C: DATA/);
});

test('connections beyond the limit are told 421, and there is room again when one ends', async (t) => {
  const node = await startReceiver(t, { settings: { 'smtp.maxConnections': 2 } });
  const one = await dialogue(node, 'S: 220');
  const two = await dialogue(node, 'S: 220');
  const three = await dialogue(node, 'S: 421 4.3.2\n -- END');
  await dialogue(one, 'C: QUIT\n S: 221\n -- END');
  one.close();
  while (node.receiver.connections > 1) await new Promise((resolve) => setImmediate(resolve));
  const four = await dialogue(node, 'S: 220');
  for (const client of [two, three, four]) client.close();
});

test('one network cannot take all connections, even through a proxy', async (t) => {
  const settings = { 'smtp.maxConnectionsPerNetwork': 1 };
  const node = await startReceiver(t, { settings, proxy: 'required', trustedProxies: ['127.0.0.1'] });
  const via = async (address: string): Promise<Client> => {
    const client = await openClient(node);
    await client.say(`PROXY TCP6 ${address} 2001:db8:ffff::1 1 25\r\n`);
    return client;
  };
  const first = await via('2001:db8:1:1::1');
  await dialogue(first, 'S: 220');
  const second = await via('2001:db8:1:1:ffff::2');
  await dialogue(second, 'S: 421 4.7.0\n -- END');
  const third = await via('2001:db8:1:2::1');
  await dialogue(third, 'S: 220');
  for (const client of [first, second, third]) client.close();
});

test('an attacker with the 65,536 networks of an IPv6 /48 takes half of all connections at the most, and others get in', async (t) => {
  const settings = { 'smtp.maxConnections': 64 };
  const node = await startReceiver(t, { settings, proxy: 'required', trustedProxies: ['127.0.0.1'] });
  const all: Client[] = [];
  t.after(() => all.forEach((client) => void client.close()));
  const via = async (address: string): Promise<number> => {
    const client = await openClient(node);
    all.push(client);
    await client.say(`PROXY TCP6 ${address} 2001:db8:ffff::1 1 25\r\n`);
    return (await client.hear()).code;
  };
  const asked = async (count: number, address: (n: string) => string): Promise<number> => {
    let admitted = 0;
    for (let n = 0; n < count; n++) if ((await via(address(n.toString(16)))) === 220) admitted++;
    return admitted;
  };
  // Half of 64; then a site has four places, a provider sixteen.
  assert.equal(await asked(40, (n) => `2001:db8:1:${n}::1`), 32);
  assert.equal(await asked(8, (n) => `2001:db8:2:${n}::1`), 0, 'the provider has more than its part');
  assert.equal(await asked(6, (n) => `2a00:1:1:${n}::1`), 4);
  assert.equal(await asked(20, (n) => `2a00:1:${n}2::1`), 12);
  assert.equal(await asked(4, (n) => `2a00:2:${n}::1`), 4, 'an honest provider gets in');
  assert.equal(node.events.last('wire.refused')?.reason, 'too-many-from-network');
});

/** Neither says nor ends anything. */
function openMute(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  return socket;
}

test('an attacker who stays behind after each refusal takes no place from others', async (t) => {
  const settings = { 'smtp.maxConnections': 3, 'smtp.maxConnectionsPerNetwork': 1 };
  const node = await startReceiver(t, { settings, proxy: 'required', trustedProxies: ['127.0.0.1'] });
  const heard = Array.from({ length: 20 }, async () => {
    const socket = openMute(node.port);
    t.after(() => socket.destroy());
    socket.write('PROXY TCP4 198.51.100.7 192.0.2.1 1 25\r\n');
    const [said] = (await once(socket, 'data')) as [Buffer];
    return String(said).slice(0, 3);
  });
  const said = await Promise.all(heard);
  assert.equal(said.filter((code) => code === '220').length, 1);
  assert.equal(node.receiver.connections, 1);
  const other = await openClient(node);
  await other.say('PROXY TCP4 203.0.113.9 192.0.2.1 1 25\r\n');
  await dialogue(other, 'S: 220');
  other.close();
});

test('beyond a thousand refused connections that do not end, the next are cut without a word', async (t) => {
  const node = await startReceiver(t, { settings: { 'smtp.maxConnections': 1 }, clock: manualClock() });
  const holder = await dialogue(node, 'S: 220');
  t.after(() => holder.close());
  const isTold = (): Promise<boolean> => {
    const socket = openMute(node.port);
    t.after(() => socket.destroy());
    return new Promise((resolve) => {
      socket.once('data', () => resolve(true));
      socket.once('end', () => resolve(false));
    });
  };
  for (let n = 0; n < REFUSED_CONNECTIONS / 100; n++)
    assert.ok((await Promise.all(Array.from({ length: 100 }, isTold))).every(Boolean));
  assert.ok(!(await Promise.all(Array.from({ length: 20 }, isTold))).some(Boolean));
});

test('a scan of a thousand connections leaves a bounded number of rows, the rest is counted', async (t) => {
  const node = await startReceiver(t);
  const scan = Array.from({ length: 200 }, async () =>
    (await dialogue(node, 'S: 220\n C: QUIT\n S: 221\n -- END')).close(),
  );
  await Promise.all(scan);
  await node.receiver.drain(5000);
  assert.equal(node.sessions.length, 20);
  assert.equal(node.events.last('receive.sessions-unrecorded')?.sessions, 180);
});

test('two thousand idle connections do not keep a message from passing', async (t) => {
  const node = await startReceiver(t);
  const idle: Socket[] = [];
  for (let i = 0; i < 2000; i++) idle.push(connect({ port: node.port, host: '127.0.0.1' }).on('error', () => {}));
  while (node.receiver.connections < 2000) await new Promise((resolve) => setImmediate(resolve));
  const client = await dialogue(node, `${IN_DATA}\n C: .\n S: 250 2.0.0`);
  client.close();
  for (const socket of idle) socket.destroy();
  assert.equal(node.committed.length, 1);
});
