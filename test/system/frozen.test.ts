/** A whole node whose administrator freezes or disables an account, and what others see of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSink } from '../../src/cli/demo/sink.ts';
import { dialogue } from '../support/dialogue.ts';
import { startNode } from './support/node.ts';

const PASSWORD = 'correct horse battery';
const plain = Buffer.from(`\0alice@example.com\0${PASSWORD}`).toString('base64');

test('the attacker has signed in on 587 and is in the middle of a message when the account is frozen: the session ends, and a disabled recipient is refused as such', async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await startNode(t, {
    env: { POSTERN_LISTEN_SUBMISSION: '127.0.0.1:0' },
    setup: [
      ['domain', 'add', 'example.com', '--server', `${sink.host}:${sink.port}`],
      ['user', 'add', 'bob@example.com'],
    ],
  });
  await node.cli(['user', 'add', 'alice@example.com', '--password-stdin'], `${PASSWORD}\n`);
  const client = await dialogue(
    { port: node.port('submission') },
    `S: 220
    C: EHLO client.example
    S: 250
    C: STARTTLS
    S: 220
    -- TLS
    C: EHLO client.example
    S: 250
    C: AUTH PLAIN ${plain}
    S: 235
    C: MAIL FROM:<alice@example.com>
    S: 250
    C: RCPT TO:<bob@example.com>
    S: 250
    C: DATA
    S: 354
    C~ From: alice@example.com\\r\\nSubject: buy\\r\\n\\r\\n`,
  );
  await node.cli(['user', 'set-state', 'alice@example.com', 'frozen']);
  await dialogue(client, 'S: 421 4.7.0\n -- END');
  assert.equal(sink.messages.length, 0);

  await node.cli(['user', 'set-state', 'bob@example.com', 'disabled']);
  const outside = await dialogue(
    { port: node.port('mx') },
    `S: 220
    C: EHLO client.example
    S: 250
    C: MAIL FROM:<x@elsewhere.example>
    S: 250
    C: RCPT TO:<bob@example.com>
    S: 550 5.2.1
    C: RCPT TO:<nobody@example.com>
    S: 550 5.1.1
    C: RCPT TO:<alice@example.com>
    S: 250
    C: QUIT
    S: 221`,
  );
  outside.close();
});
