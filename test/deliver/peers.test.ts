/** Against mail servers that others wrote. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { claimOf, deliveryHarness, LETTER } from './support/harness.ts';

const SINK = '/usr/sbin/smtp-sink';
const noSink = existsSync(SINK) ? false : 'smtp-sink is not installed (Debian package postfix)';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves once something listens; the process ending first is an error. */
async function listening(port: number, isAlive: () => boolean): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const opened = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (opened) return;
    assert.ok(isAlive(), 'the server ended before it listened');
    await new Promise((next) => setImmediate(next));
  }
}

/** Files of the messages it took, each with its envelope in X- lines on top. */
async function startSink(t: TestContext, ...options: string[]): Promise<{ port: number; taken: () => string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-sink-'));
  spawnSync('chown', ['nobody', folder]);
  const port = await freePort();
  const asRoot = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn(SINK, [...asRoot, ...options, '-d', join(folder, '%M.'), `127.0.0.1:${port}`, '100'], {
    stdio: 'ignore',
  });
  t.after(async () => {
    if (child.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  });
  await listening(port, () => child.exitCode === null);
  return { port, taken: () => readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1')) };
}

for (const [what, ...options] of [
  ['pipelining'],
  ['no pipelining', '-p'],
  ['HELO only', '-e'],
  ['all 8-bit extensions off', '-8'],
]) {
  test(`smtp-sink with ${what} takes messages over one session`, { skip: noSink }, async (t) => {
    const sink = await startSink(t, ...options);
    const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: sink.port }] } });
    for (let i = 0; i < 3; i++) {
      const [result] = await deliver(claimOf({ content: `X-Number: ${i}\r\n${LETTER}`, trace: 'X-Trace: yes\r\n' }));
      assert.equal(result!.kind, 'relayed');
    }
    const taken = sink.taken();
    assert.equal(taken.length, 3);
    for (const file of taken) assert.ok(file.replaceAll('\r\n', '\n').includes('Hello.\n.dot\n'));
  });
}

for (const [step, fate, ...options] of [
  ['RCPT', 'failed', '-f', 'rcpt'],
  ['RCPT', 'deferred', '-q', 'rcpt'],
  ['RCPT', 'deferred', '-r', 'rcpt'],
  ['MAIL', 'failed', '-f', 'mail'],
  ['the end of data', 'failed', '-f', '.'],
  ['the end of data', 'deferred', '-q', '.'],
]) {
  const says = { '-f': 'refuses', '-r': 'defers', '-q': 'hangs up at' }[options[0]!];
  test(`smtp-sink that ${says} ${step} leaves the message ${fate}`, { skip: noSink }, async (t) => {
    const sink = await startSink(t, ...options);
    const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ port: sink.port }] } });
    assert.equal((await deliver(claimOf()))[0]!.kind, fate);
  });
}

const noPostfix =
  process.getuid?.() !== 0
    ? 'a Postfix of our own needs root'
    : existsSync('/usr/sbin/postfix') && existsSync('/usr/lib/postfix/sbin/smtpd')
      ? false
      : 'Postfix is not installed (Debian package postfix)';

/** A Postfix with its own folders, which throws away what it took. */
async function startPostfix(t: TestContext): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-postfix-'));
  const port = await freePort();
  for (const name of ['queue', 'data', 'etc']) mkdirSync(join(folder, name));
  spawnSync('chown', ['postfix', join(folder, 'data')]);
  spawnSync('chmod', ['755', folder]);
  const main = {
    compatibility_level: '3.6',
    queue_directory: join(folder, 'queue'),
    data_directory: join(folder, 'data'),
    command_directory: '/usr/sbin',
    daemon_directory: '/usr/lib/postfix/sbin',
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    myhostname: 'postfix.example',
    mydestination: '',
    inet_interfaces: '127.0.0.1',
    mynetworks: '127.0.0.0/8',
    alias_maps: '',
    relay_domains: 'example.com',
    transport_maps: 'inline:{example.com=discard:}',
    smtpd_recipient_restrictions:
      'check_recipient_access inline:{never@example.com=REJECT,later@example.com=DEFER}, permit_mynetworks, reject',
    maillog_file: '/dev/stdout',
    maillog_file_prefixes: '/dev',
    message_size_limit: '100000',
  };
  const services = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    ...['cleanup unix n - n - 0 cleanup', 'qmgr unix n - n 300 1 qmgr', 'rewrite unix - - n - - trivial-rewrite'],
    ...['bounce unix - - n - 0 bounce', 'defer unix - - n - 0 bounce', 'trace unix - - n - 0 bounce'],
    ...['discard unix - - n - - discard', 'anvil unix - - n - 1 anvil', 'proxymap unix - - n - - proxymap'],
    ...['error unix - - n - - error', 'retry unix - - n - - error', 'tlsmgr unix - - n 1000? 1 tlsmgr'],
    'postlog unix-dgram n - n - 1 postlogd',
  ];
  writeFileSync(
    join(folder, 'etc/main.cf'),
    Object.entries(main)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(''),
  );
  writeFileSync(join(folder, 'etc/master.cf'), services.map((line) => `${line}\n`).join(''));
  const child = spawn('/usr/sbin/postfix', ['-c', join(folder, 'etc'), 'start-fg'], { stdio: 'ignore' });
  t.after(async () => {
    spawnSync('/usr/sbin/postfix', ['-c', join(folder, 'etc'), 'abort'], { stdio: 'ignore' });
    if (child.exitCode === null) await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  });
  await listening(port, () => child.exitCode === null);
  return port;
}

test('Postfix takes mail by BDAT with DSN parameters, and its refusals arrive with their status', {
  skip: noPostfix,
}, async (t) => {
  const port = await startPostfix(t);
  const { deliver } = deliveryHarness(t, { servers: { 'example.com': [{ host: '127.0.0.1', port }] } });
  const to = ['alice@example.com', 'never@example.com', 'later@example.com'];
  const results = await deliver(claimOf({ to, envid: 'e1', ret: 'headers', body: '8BITMIME' }));
  const byRow = results.toSorted((a, b) => a.row - b.row).map(({ kind, detail }) => `${kind} ${detail.status}`);
  assert.deepEqual(byRow, ['relayed 2.0.0', 'failed 5.7.1', 'deferred 4.7.1']);
  assert.equal((await deliver(claimOf({ to: ['never@example.com'] })))[0]!.kind, 'failed');
  const large = await deliver(claimOf({ content: `Subject: x\r\n\r\n${'x'.repeat(70)}\r\n`.repeat(2000) }));
  assert.equal(large[0]!.detail.status, '5.3.4');
  assert.equal((await deliver(claimOf({ isStreamed: true })))[0]!.kind, 'relayed');
  assert.equal((await deliver(claimOf({ from: null })))[0]!.kind, 'relayed');
});
