import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SmtpConversation } from './support/client.ts';
import { eventually, postern, startNode } from './support/node.ts';

test('sessions that brought no mail are listed, by client and by page, while the node runs and after', async (t) => {
  const node = await startNode(t, { setup: [['domain', 'add', 'example.com']] });
  for (const name of ['one', 'two']) {
    const scanner = await SmtpConversation.open(node.port('mx'));
    await scanner.reply();
    await scanner.say(`EHLO ${name}.example`);
    await scanner.say('QUIT');
    scanner.close();
  }
  const sessions = async (...more: readonly string[]): Promise<{ id: string; client: string; end: string }[]> =>
    JSON.parse((await postern(['log', 'sessions', '--json', ...more], node.env)).stdout);
  const listed = await eventually(async () => {
    const rows = await sessions('--idle');
    return rows.length === 2 ? rows : undefined;
  }, 'two sessions in the log');
  assert.deepEqual(
    listed.map(({ client, end }) => [client, end]),
    [
      ['127.0.0.1', 'quit'],
      ['127.0.0.1', 'quit'],
    ],
  );
  assert.deepEqual(await sessions('--client', '192.0.2.1'), []);
  const first = await postern(['log', 'sessions', '--limit', '1', '--json'], node.env);
  const cursor = /--cursor (\S+)/.exec(first.stderr)?.[1];
  assert.ok(cursor, first.stderr);
  assert.deepEqual(
    [...JSON.parse(first.stdout), ...(await sessions('--cursor', cursor))].map(({ id }) => id),
    listed.map(({ id }) => id),
  );
  await node.stop();
  assert.deepEqual(await sessions(), listed);
});

test('who names a message that is not there is told so, with exit code 67', async (t) => {
  const node = await startNode(t);
  for (const act of ['hold', 'release', 'retry', 'delete']) {
    const { code, stderr } = await postern(['queue', act, 'nope'], node.env);
    assert.equal(code, 67, `${act}: ${stderr}`);
    assert.match(stderr, /cannot .*nope/);
  }
});
