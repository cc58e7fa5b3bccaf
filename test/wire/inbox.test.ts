/** All connections are read into one buffer: what one client says never becomes another's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Client, openClient } from '../support/dialogue.ts';
import { startReceiver } from '../support/receive/services.ts';

const CLIENTS = 12;

/** One message as a client sends it, content and next command together, cut into pieces of `size`. */
function pieces(body: string, size: number): string[] {
  const said = `EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n${body}.\r\nNOOP\r\nQUIT\r\n`;
  return said.match(new RegExp(`[^]{1,${size}}`, 'g'))!;
}

async function sayByTurns(clients: readonly Client[], said: readonly string[][]): Promise<void> {
  for (let turn = 0; said.some((parts) => turn < parts.length); turn++)
    await Promise.all(clients.map((client, i) => said[i]![turn] && client.say(said[i]![turn]!)));
}

test('messages that come in pieces and by turns stay apart, in clear and in TLS', async (t) => {
  const node = await startReceiver(t);
  const bodies = Array.from({ length: CLIENTS }, (_, i) =>
    `From: c${i}@client.example\r\n\r\n`.concat(`${String.fromCharCode(97 + i).repeat(70)}\r\n`.repeat(20 + 10 * i)),
  );
  const clients = await Promise.all(bodies.map(() => openClient(node)));
  for (const [i, client] of clients.entries()) {
    await client.hear();
    if (i % 3 > 0) continue;
    await client.say('STARTTLS\r\n');
    await client.hear();
    await client.startTls();
  }
  await sayByTurns(
    clients,
    bodies.map((body, i) => pieces(body, 11 + 37 * i)),
  );
  for (const client of clients) {
    const codes: number[] = [];
    while (codes.length < 7) codes.push((await client.hear()).code);
    assert.deepEqual(codes, [250, 250, 250, 354, 250, 250, 221]);
    client.close();
  }
  assert.deepEqual(node.committed.map(({ bytes }) => bytes).sort(), [...bodies].sort());
});

test('what came while the server was at work is still what was said', async (t) => {
  const node = await startReceiver(t, {
    onRecipient: () => new Promise((resolve) => setImmediate(resolve, undefined)),
  });
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => openClient(node)));
  for (const client of clients) await client.hear();
  const bodies = clients.map((_, i) => `Subject: ${i}\r\n\r\n`);
  await sayByTurns(
    clients,
    bodies.map((body) => pieces(body, 1000)),
  );
  for (const client of clients) {
    for (let replies = 0; replies < 7; replies++) await client.hear();
    client.close();
  }
  assert.deepEqual(node.committed.map(({ bytes }) => bytes).sort(), [...bodies].sort());
});
