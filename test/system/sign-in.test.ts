/** Whole nodes that sign in to mail servers: a second Postern on its submission ports, and Dovecot. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Sink, startSink } from '../../src/cli/demo/sink.ts';
import { keyPin } from '../../src/world/server-proof.ts';
import { startPeer } from '../support/peer.ts';
import { letter, send } from './support/client.ts';
import { startDovecot } from './support/dovecot.ts';
import { missing } from './support/missing.ts';
import { eventually, postern, type RunningNode, startNode, temporaryFolder } from './support/node.ts';

const PASSWORD = 'correct horse battery';
const GATEWAY = 'gateway@example.com';

/** The organisation's server: it takes mail on 587 and 465 from who signs in, and has alice. */
async function innerServer(t: TestContext): Promise<{ node: RunningNode; sink: Sink; certificate: string }> {
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await startNode(t, {
    env: { POSTERN_LISTEN_SUBMISSION: '127.0.0.1:0', POSTERN_LISTEN_SUBMISSIONS: '127.0.0.1:0' },
    setup: [['domain', 'add', 'example.com', '--server', `${sink.host}:${sink.port}`]],
  });
  await node.cli(['settings', 'import', '-'], INNER_SETTINGS);
  await node.cli(['user', 'add', 'alice@example.com']);
  await node.cli(['user', 'add', GATEWAY, '--password-stdin'], `${PASSWORD}\n`);
  return { node, sink, certificate: join(node.data, 'tls', 'self-signed.pem') };
}

const INNER_SETTINGS = `
global:
  smtp.authFailureFloorMs: 0
domains:
  example.com:
    passwords.scram: true
    # What the gateway hands in was written by others.
    senderMatchesLogin.envelope: false
    senderMatchesLogin.from: false
`;

const setCredentials = (node: RunningNode, port: number, password: string, ...options: string[]): Promise<string> =>
  node.cli(
    ['server', 'set-credentials', `127.0.0.1:${port}`, '--user', GATEWAY, '--password-stdin', ...options],
    `${password}\n`,
  );

async function deliver(node: RunningNode, subject: string, to = 'alice@example.com'): Promise<string> {
  const content = letter({ subject });
  const sent = await send(node.port('mx'), { from: 'bob@elsewhere.example', to: [to], content });
  assert.equal(sent.final.code, 250);
  return /queued as (\S+)/.exec(sent.final.lines[0]!)![1]!;
}

const arrives = (sink: Sink, subject: string) =>
  sink.next((message) => message.content.includes(`Subject: ${subject}\r\n`));

const waitingReply = (node: RunningNode, pattern: RegExp) =>
  eventually(async () => pattern.exec(await node.cli(['queue', 'list', '--json']))?.[0], `${pattern} in the queue`);

test('a node signs in to a second Postern', async (t) => {
  const { node: inner, sink, certificate } = await innerServer(t);
  const port = inner.port('submission');
  const outer = await startNode(t, {
    setup: [
      ['domain', 'add', 'example.com', '--server', `127.0.0.1:${port}`],
      ['user', 'add', 'alice@example.com'],
    ],
  });

  await t.test('which gets no password before it proves its name, or its key is pinned, as the log tells', async () => {
    await setCredentials(outer, port, PASSWORD);
    await deliver(outer, 'cautious');
    const shown = await waitingReply(outer, /its key is sha256\/[A-Za-z0-9+/=]{44}/);
    const pin = shown.replace('its key is ', '');
    assert.equal(pin, `sha256/${keyPin(new X509Certificate(readFileSync(certificate)))}`);
    assert.ok(!/smtp\.auth\./.test(inner.log()));
    await setCredentials(outer, port, PASSWORD, '--pin', pin);
    await outer.cli(['queue', 'retry', '--all']);
    await arrives(sink, 'cautious');
  });

  await t.test('whose refusal makes mail wait and is told of once, until the password is right', async () => {
    await setCredentials(outer, port, 'not the password', '--authority', certificate);
    const subjects = ['first', 'second', 'third'];
    for (const subject of subjects) await deliver(outer, subject);
    await waitingReply(outer, /535 5\.7\.8/);
    const told = outer
      .log()
      .split('\n')
      .filter((line) => /delivery\.sign-in\.failed.*535/.test(line));
    assert.equal(told.length, 1);
    await setCredentials(outer, port, PASSWORD, '--authority', certificate);
    await outer.cli(['queue', 'retry', '--all']);
    for (const subject of subjects) await arrives(sink, subject);
  });

  await t.test('by SCRAM bound to the channel, and the password is shown nowhere', async () => {
    const id = await deliver(outer, 'by starttls');
    await arrives(sink, 'by starttls');
    await eventually(
      async () => /signed in by SCRAM-SHA-256-PLUS/.test(await outer.cli(['log', 'show', id])),
      'the mechanism in the log',
    );
    const commands = [
      ['server', 'list'],
      ['server', 'credentials'],
      ['settings', 'export'],
    ];
    const shown = await Promise.all(commands.map((args) => outer.cli(args)));
    assert.match(shown[0]!, /gateway@example\.com/);
    assert.match(shown[1]!, /domain mail server +gateway@example\.com +password +own authority +STARTTLS/);
    for (const text of [...shown, outer.log()]) assert.ok(!text.includes(PASSWORD));
    assert.ok(!readFileSync(join(outer.data, 'state.db')).includes(PASSWORD));
  });

  await t.test('to ask it by call forward, with the credentials that mail is delivered with', async () => {
    const options = ['--option', 'host=127.0.0.1', '--option', `port=${port}`];
    await outer.cli(['source', 'add', 'smtp', ...options, '--default']);
    const ask = async (address: string) => (await postern(['verify', address, '--explain'], outer.env)).stdout;
    const known = await ask('alice@example.com');
    assert.match(known, /alice@example\.com: exists/);
    assert.match(known, /AUTH SCRAM-SHA-256-PLUS \(hidden\)/);
    assert.match(await ask('nobody@example.com'), /550 5\.1\.1/);
    await outer.cli(['server', 'clear-credentials', `127.0.0.1:${port}`]);
    assert.match(await ask('alice@example.com'), /530 5\.7\.0/);
  });

  await t.test('with TLS from the first octet too; credentials leave with their server', async () => {
    const implicit = inner.port('submissions');
    await outer.cli(['server', 'add', `127.0.0.1:${implicit}`, '--domain', 'example.com']);
    await outer.cli(['server', 'remove', '1']);
    await setCredentials(outer, implicit, PASSWORD, '--authority', certificate, '--implicit-tls');
    await deliver(outer, 'by implicit tls');
    await arrives(sink, 'by implicit tls');
    await outer.cli(['server', 'remove', '2']);
    assert.equal((await outer.cli(['server', 'credentials', '--json'])).trim(), '[]');
  });
});

test('Dovecot lets a node in by SCRAM, PLAIN and LOGIN, as a domain mail server and as the smart host', {
  skip: missing('dovecot') || missing('/usr/lib/dovecot/submission'),
}, async (t) => {
  const behind = await startPeer(t);
  const common = { user: GATEWAY, password: PASSWORD, relayPort: behind.port };
  const folder = temporaryFolder(t);
  const servers = await Promise.all(
    ['scram-sha-256', 'plain', 'login'].map(async (mechanisms) => {
      const { port, certificate } = await startDovecot(t, { ...common, mechanisms });
      const authority = join(folder, `${mechanisms}.pem`);
      writeFileSync(authority, certificate);
      return { port, authority, domain: `${mechanisms}.example`, mechanism: mechanisms.toUpperCase() };
    }),
  );
  const smartHost = servers.at(-1)!;
  const outer = await startNode(t, {
    setup: [
      ['settings', 'set', 'delivery.smartHost', `127.0.0.1:${smartHost.port}`],
      ...servers.slice(0, -1).flatMap(({ domain, port }) => [
        ['domain', 'add', domain, '--server', `127.0.0.1:${port}`],
        ['user', 'add', `alice@${domain}`],
      ]),
      ['domain', 'add', smartHost.domain, '--server', '127.0.0.1:9'],
      ['alias', 'add', `alice@${smartHost.domain}`, 'alice@remote.example'],
    ],
  });
  for (const { port, authority } of servers) await setCredentials(outer, port, PASSWORD, '--authority', authority);
  assert.match(await outer.cli(['server', 'credentials']), new RegExp(`:${smartHost.port} +smart host`));
  for (const { domain, mechanism } of servers) {
    const queued = await deliver(outer, mechanism, `alice@${domain}`);
    const shown = await eventually(
      async () => /signed in by [A-Z0-9-]+/.exec(await outer.cli(['log', 'show', queued]))?.[0],
      `the sign-in by ${mechanism} in the log`,
    );
    assert.equal(shown, `signed in by ${mechanism}`);
  }
  assert.equal(behind.messages.length, 3);
});
