/** Whole nodes that verify users at others: a second Postern, Postfix, and each other's Minger server. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import { postfix } from '../../bench/product/postfix.ts';
import { DOMAIN, RECIPIENT } from '../../bench/product/product.ts';
import { dialogue } from '../support/dialogue.ts';
import { explained, submit } from './support/clients.ts';
import { postern, startNode, temporaryFolder } from './support/node.ts';

const SECRET = 'a-secret-of-24-characters';

const rcpt = (port: number, address: string, answer: string): Promise<unknown> =>
  dialogue(
    { host: '127.0.0.1', port },
    `
    S: 220
    C: EHLO client.example
    S: 250
    C: MAIL FROM:<>
    S: 250 2.1.0
    C: RCPT TO:<${address}>
    S: ${answer}
    C: QUIT
    S: 221
  `,
  );

test('a second Postern tells by call forward who exists, and its silence is no refusal', async (t) => {
  const inner = await startNode(t, {
    setup: [
      ['domain', 'add', 'example.com', '--server', '127.0.0.1:9'],
      ['user', 'add', 'alice@example.com'],
    ],
  });
  const outer = await startNode(t, {
    setup: [
      ['domain', 'add', 'example.com', '--server', `127.0.0.1:${inner.port('mx')}`],
      ['source', 'add', 'smtp', '--option', 'host=127.0.0.1', '--option', `port=${inner.port('mx')}`, '--default'],
    ],
  });
  const port = outer.port('mx');
  await rcpt(port, 'alice@example.com', '250 2.1.5');
  await rcpt(port, 'nobody@example.com', '550 5.1.1');
  assert.match(await outer.cli(['user', 'list']), /alice@example\.com/);
  await inner.stop();
  await rcpt(port, 'bob@example.com', '451 4.4.3');
  await rcpt(port, 'alice@example.com', '250 2.1.5');
  assert.match(await explained(outer, '<>'), /cannot-tell\): .*source 1: the connection was refused/);
  await outer.cli(['settings', 'set', 'verification.whenUnsure', 'accept']);
  assert.deepEqual(await submit(outer, { from: 'eve@remote.example', to: ['bob@example.com'] }), {
    recipients: ['250'],
    final: '250',
  });
  assert.match(await explained(outer, 'eve@remote.example'), /unverified\): .*source 1/);
});

test('a second Postern tells by Minger who exists, to those who know the secret', async (t) => {
  const inner = await startNode(t, {
    env: { POSTERN_LISTEN_MINGER: '127.0.0.1:0' },
    setup: [
      ['domain', 'add', 'example.com'],
      ['user', 'add', 'alice@example.com'],
    ],
  });
  await inner.cli(['minger', 'secret'], `${SECRET}\n`);
  const minger = String(inner.port('minger'));
  const outer = await startNode(t, { setup: [['domain', 'add', 'example.com', '--server', '127.0.0.1:9']] });
  const options = ['--option', 'host=127.0.0.1', '--option', `port=${minger}`, '--domain', 'example.com'];
  await outer.cli(['source', 'add', 'minger', ...options, '--secret'], 'not-the-secret-of-it\n');
  await rcpt(outer.port('mx'), 'nobody@example.com', '451 4.4.3');
  await outer.cli(['source', 'edit', '1', '--secret'], `${SECRET}\n`);
  await rcpt(outer.port('mx'), 'nobody@example.com', '550 5.1.1');
  await rcpt(outer.port('mx'), 'alice@example.com', '250 2.1.5');
  const shown = await outer.cli(['verify', 'alice@example.com', '--explain']);
  assert.match(shown, /alice@example\.com: exists/);
  assert.ok(!shown.includes(SECRET));
});

test('Postfix tells by call forward who exists, and its refusal to relay makes nobody disappear', async (t) => {
  const folder = temporaryFolder(t);
  // Postfix's own users look into it.
  chmodSync(folder, 0o755);
  await using server = await postfix.start(folder, { host: '127.0.0.1', port: 9 });
  const node = await startNode(t, {
    setup: [
      ['domain', 'add', DOMAIN, '--server', '127.0.0.1:9'],
      ['domain', 'add', 'elsewhere.example', '--server', '127.0.0.1:9'],
      ['source', 'add', 'smtp', '--option', 'host=127.0.0.1', '--option', `port=${server.port}`, '--default'],
    ],
  });
  await rcpt(node.port('mx'), RECIPIENT, '250 2.1.5');
  await rcpt(node.port('mx'), `nobody@${DOMAIN}`, '550 5.1.1');
  await rcpt(node.port('mx'), 'alice@elsewhere.example', '451 4.4.3');
  const { code, stdout } = await postern(['verify', 'alice@elsewhere.example', '--explain'], node.env);
  assert.equal(code, 75);
  assert.match(stdout, /554 5\.7\.1/);
});

test("two nodes that are each other's Minger source share a domain: each knows the users of both, and neither waits", async (t) => {
  const start = async (user: string) => {
    const node = await startNode(t, {
      env: { POSTERN_LISTEN_MINGER: '127.0.0.1:0' },
      setup: [
        ['domain', 'add', 'example.com', '--server', '127.0.0.1:9'],
        ['user', 'add', user],
      ],
    });
    await node.cli(['minger', 'secret'], `${SECRET}\n`);
    return node;
  };
  const [one, two] = [await start('alice@example.com'), await start('bob@example.com')];
  for (const [node, other] of [
    [one, two],
    [two, one],
  ] as const) {
    const options = ['--option', 'host=127.0.0.1', '--option', `port=${other.port('minger')}`];
    await node.cli(['source', 'add', 'minger', ...options, '--domain', 'example.com', '--secret'], `${SECRET}\n`);
  }
  for (const node of [one, two]) {
    await rcpt(node.port('mx'), 'alice@example.com', '250 2.1.5');
    await rcpt(node.port('mx'), 'bob@example.com', '250 2.1.5');
    await rcpt(node.port('mx'), 'nobody@example.com', '550 5.1.1');
  }
});
