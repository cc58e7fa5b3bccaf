/** How much a stranger writes into the log of a whole node without having mail accepted. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { letter, SmtpConversation, send } from './support/client.ts';
import { type RunningNode, startNode } from './support/node.ts';

/** A source route makes a command as long as it may be. */
const ROUTE = Array(70).fill('@a.example').join(',');

/** Twelve RCPTs of 900 bytes and RSET, so often in one session. */
async function flood(port: number, localAddress: string, transactions: number): Promise<number> {
  const client = await SmtpConversation.open(port, '127.0.0.1', localAddress);
  let refused = 0;
  try {
    await client.reply();
    await client.say('EHLO client.example');
    for (let i = 0; i < transactions; i++) {
      if ((await client.say('MAIL FROM:<x@elsewhere.example>')).code !== 250) return refused;
      for (let k = 0; k < 12; k++) {
        const { code } = await client.say(`RCPT TO:<${ROUTE}:${i}-${k}@example.com>`);
        if (code === 421 || code === 0) return refused;
      }
      if ((await client.say('RSET')).code !== 250) return refused;
      refused++;
    }
    return refused;
  } finally {
    client.close();
  }
}

async function logBytes(node: RunningNode): Promise<number> {
  await node.cli(['log', 'search', '--limit', '1']);
  const db = new DatabaseSync(join(node.data, 'log.db'), { readOnly: true });
  const value = (name: string): number => Object.values(db.prepare(`PRAGMA ${name}`).get() as object)[0] as number;
  const bytes = (value('page_count') - value('freelist_count')) * value('page_size');
  db.close();
  return bytes;
}

type Row = { id: string | null; direction: string; client?: string; network?: string; transactions?: number };

test('a client that has twelve recipients refused and says RSET, again and again, does not fill the disk', async (t) => {
  const node = await startNode(t, {
    setup: [
      ['domain', 'add', 'example.com', '--server', '127.0.0.2:9'],
      ['user', 'add', 'alice@example.com'],
    ],
  });
  const port = node.port('mx');
  const attack = async (wanted: number): Promise<number> => {
    let done = 0;
    while (done < wanted) {
      const more = await flood(port, '127.0.0.9', wanted - done);
      assert.ok(more > 0, 'each session gets somewhere');
      done += more;
    }
    return done;
  };
  const empty = await logBytes(node);
  const first = await attack(30);
  const before = ((await logBytes(node)) - empty) / first;
  let total = first + (await attack(400));
  const full = await logBytes(node);
  let beyond = 0;
  for (let i = 0; i < 10; i++) {
    beyond += await attack(30);
    const mail = { from: 'bob@elsewhere.example', to: ['alice@example.com'], content: letter({ subject: String(i) }) };
    assert.equal((await send(port, { ...mail, localAddress: '127.0.0.9' })).final.code, 250);
    assert.equal(
      (await send(port, { ...mail, to: ['nobody@example.com'], localAddress: '127.0.0.10' })).final.code,
      550,
    );
  }
  total += beyond;
  const each = ((await logBytes(node)) - full) / beyond;
  t.diagnostic(`${Math.round(before)} bytes a transaction before, ${Math.round(each)} beyond; log ${full} bytes`);
  assert.ok(each < before / 5, `${each} bytes each beyond, ${before} before`);

  const rows = async (...filter: string[]): Promise<Row[]> =>
    JSON.parse(await node.cli(['log', 'search', '--json', '--limit', '1000', ...filter]));
  assert.equal((await rows('--direction', 'inbound')).length, 10, 'mail of the same client has all its rows');
  assert.equal((await rows('--client', '127.0.0.10')).length, 10, "another client's refusals too");
  const own = await rows('--client', '127.0.0.9', '--direction', 'refused');
  const counted = own.filter(({ id }) => id === null);
  const written = own.length - counted.length;
  assert.ok(counted.length > 0);
  const sum = counted.reduce((all, { transactions = 0 }) => all + transactions, 0);
  assert.ok(written + sum >= total, `${written} rows and ${sum} counted of ${total}`);
  assert.match(await node.cli(['log', 'search', '--client', '127.0.0.9']), /only counted[\s\S]*127\.0\.0\.9 .* x 550 /);
});
