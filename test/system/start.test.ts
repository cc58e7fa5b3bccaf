import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/world/clock.ts';
import { selfSigned } from '../../src/world/self-signed.ts';
import { SmtpConversation } from './support/client.ts';
import { logged, nodeEnvironment, POSTERN, postern, startNode, temporaryFolder } from './support/node.ts';

test('serve prints one ready line with its listeners, answers on them, and exits 0 on SIGTERM', async (t) => {
  const node = await startNode(t, {
    env: {
      POSTERN_LISTEN_SUBMISSION: '127.0.0.1:0',
      POSTERN_LISTEN_SUBMISSIONS: '127.0.0.1:0',
      POSTERN_LISTEN_HTTPS: '127.0.0.1:0',
      POSTERN_LISTEN_METRICS: '127.0.0.1:0',
    },
  });
  assert.deepEqual(Object.keys(node.listeners).sort(), ['https', 'metrics', 'mx', 'submission', 'submissions']);
  for (const path of ['healthz', 'readyz', 'metrics']) {
    const response = await fetch(`http://127.0.0.1:${node.port('metrics')}/${path}`);
    assert.equal(response.status, 200, path);
  }
  const client = await SmtpConversation.open(node.port('submission'));
  assert.equal((await client.reply())!.code, 220);
  await client.say('EHLO client.example');
  assert.match((await client.say('MAIL FROM:<alice@example.com>')).lines[0]!, /^530 5\.7\.0 /);
  assert.equal(await node.stop(), 0);
  const goodbye = await client.reply();
  assert.equal(goodbye?.code, 421, 'an idle session is told');
});

test('a second node on the same data folder is refused with the reason, and may start after the first was killed', async (t) => {
  const first = await startNode(t);
  const second = await postern(['serve'], nodeEnvironment(first.data));
  assert.notEqual(second.code, 0);
  assert.match(second.stderr, /cannot .*data folder.*(in use|held|locked)/i);
  await first.kill();
  const third = await startNode(t, { data: first.data });
  assert.equal(await third.stop(), 0);
});

test('a configured port in use is an error that names it, not a fallback', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => holder.once('listening', done));
  t.after(() => holder.close());
  const { port } = holder.address() as { port: number };
  const result = await postern(
    ['serve'],
    nodeEnvironment(temporaryFolder(t), { POSTERN_LISTEN_MX: `127.0.0.1:${port}` }),
  );
  assert.notEqual(result.code, 0);
  assert.ok(result.stderr.includes(`127.0.0.1:${port}`) && /in use/.test(result.stderr), result.stderr);
});

const BAD_VALUES = [
  ['POSTERN_LISTEN_MX', 'localhost', /POSTERN_LISTEN_MX.*address:port.*localhost/s],
  ['POSTERN_LISTEN_MX', '127.0.0.1:99999', /POSTERN_LISTEN_MX.*99999/s],
  ['POSTERN_DNS_SERVERS', 'one.one.one.one', /POSTERN_DNS_SERVERS.*one\.one\.one\.one/s],
  ['POSTERN_TRUSTED_PROXIES', '10.0.0.0/99', /POSTERN_TRUSTED_PROXIES.*10\.0\.0\.0\/99/s],
  ['POSTERN_HOSTNAME', '1.2.3.4', /POSTERN_HOSTNAME.*host name.*1\.2\.3\.4/s],
  ['POSTERN_HOSTNAME', 'not a name', /POSTERN_HOSTNAME.*not a name/s],
] as const;

for (const [name, value, expected] of BAD_VALUES) {
  test(`${name}=${value} is refused with a sentence that names it`, async (t) => {
    const data = temporaryFolder(t);
    const result = await postern(['serve'], nodeEnvironment(data, { [name]: value }));
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, expected);
    assert.doesNotMatch(result.stderr, /\n\s+at /, 'no stack trace');
  });
}

test('a mistyped POSTERN_ name is warned about with the nearest one, an unknown key of postern.toml is refused', async (t) => {
  const node = await startNode(t, { env: { POSTERN_LISTEN_MAX: '127.0.0.1:0' } });
  await logged(node, /POSTERN_LISTEN_MAX.*POSTERN_LISTEN_MX/s);
  const folder = temporaryFolder(t);
  const file = join(folder, 'postern.toml');
  writeFileSync(file, 'hostnam = "mx.example.com"\n');
  const result = await postern(['serve'], nodeEnvironment(folder, { POSTERN_CONFIG: file }));
  assert.notEqual(result.code, 0);
  assert.match(result.stderr, /hostnam.*hostname/s);
});

test('operations work the same while the node is stopped', async (t) => {
  const data = temporaryFolder(t);
  const env = nodeEnvironment(data);
  for (const args of [
    ['domain', 'add', 'example.com', '--server', '127.0.0.2:2626'],
    ['settings', 'set', 'smtp.maxMessageBytes', '20MiB', '--domain', 'example.com'],
  ]) {
    const { code, stderr } = await postern(args, env);
    assert.equal(code, 0, stderr);
  }
  const added = await postern(['user', 'add', 'alice@example.com', '--password-stdin'], env, 'correct horse battery\n');
  assert.equal(added.code, 0, added.stderr);
  for (const command of [
    ['queue', 'list', '--json'],
    ['log', 'search', '--json'],
  ]) {
    const { code, stdout, stderr } = await postern(command, env);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), []);
  }
  const got = await postern(['settings', 'get', 'smtp.maxMessageBytes', '--domain', 'example.com', '--json'], env);
  assert.match(got.stdout, /20971520/);
  assert.ok(existsSync(join(data, 'state.db')));
  const node = await startNode(t, { data });
  assert.match(await node.cli(['domain', 'list']), /example\.com/);
});

test('a bad setting is refused with its bounds and the nearest name', async (t) => {
  const env = nodeEnvironment(temporaryFolder(t));
  const range = await postern(['settings', 'set', 'smtp.maxRecipients', '-1'], env);
  assert.notEqual(range.code, 0);
  assert.match(range.stderr, /cannot set smtp\.maxRecipients, as it must be .*-1/);
  const name = await postern(['settings', 'set', 'smtp.maxRecipient', '10'], env);
  assert.notEqual(name.code, 0);
  assert.match(name.stderr, /smtp\.maxRecipients/);
});

test('a folder that was restored without its key file starts, and tells which secrets it lost', async (t) => {
  const data = temporaryFolder(t);
  const first = await startNode(t, { data });
  assert.equal(await first.stop(), 0);
  rmSync(join(data, 'keys', 'secret.key'));
  const second = await startNode(t, { data });
  for (const name of ['scram/decoy', 'srs/1']) await logged(second, new RegExp(`secret-unreadable.*${name}`));
  assert.equal(await second.stop(), 0);
  const third = await startNode(t, { data });
  assert.doesNotMatch(third.log(), /scram\/decoy/, 'it was replaced');
});

test('a certificate or key file that cannot be used is a mistake in the configuration, told by its path', async (t) => {
  const folder = temporaryFolder(t);
  const [one, other] = await Promise.all(['a.example', 'b.example'].map((name) => selfSigned(name, systemClock)));
  const at = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o644 });
    return join(folder, name);
  };
  const certificate = at('cert.pem', one!.certificate);
  const tls = (key: string) => ({ POSTERN_TLS_CERTIFICATE: certificate, POSTERN_TLS_KEY: key });
  for (const [env, sentence] of [
    [tls(at('other.pem', other!.key)), /cannot use the certificate \S+cert\.pem with the key \S+other\.pem, as /],
    [tls(at('none.pem', 'none')), /cannot use the certificate \S+cert\.pem with the key \S+none\.pem, as /],
    [tls(join(folder, 'missing.pem')), /cannot read \S+missing\.pem, as /],
    [{ POSTERN_SECRET_KEY_FILE: at('open.key', '') }, /cannot use the key file \S+open\.key, as only its owner/],
    [
      { POSTERN_SECRET_KEY_FILE: '/proc/nowhere/secret.key' },
      /cannot use the key file \/proc\/nowhere\/secret\.key, as /,
    ],
  ] as const) {
    const { code, stderr } = await postern(['serve'], nodeEnvironment(join(folder, 'data'), env));
    assert.equal(code, 78, stderr);
    assert.match(stderr, sentence);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
});

test('in a folder that was made open, another user can read nothing', async (t) => {
  const data = temporaryFolder(t);
  chmodSync(data, 0o755);
  const node = await startNode(t, { data, setup: [['domain', 'add', 'example.com']] });
  await node.stop();
  const open = readdirSync(data, { recursive: true, encoding: 'utf8' })
    .map((name) => join(data, name))
    .filter((path) => (statSync(path).mode & 0o077) !== 0);
  assert.deepEqual(open, []);
  assert.equal(statSync(data).mode & 0o777, 0o700);
});

test('a command whose output nobody reads to its end, or that stands in a folder that is gone, ends without a trace', async (t) => {
  const env = nodeEnvironment(temporaryFolder(t));
  const said = execFileSync('/bin/sh', ['-c', '"$0" settings list --json | head -1; "$0" --help | true', POSTERN], {
    env,
    encoding: 'utf8',
  });
  assert.equal(said, '[\n');
  const gone = join(temporaryFolder(t), 'gone');
  mkdirSync(gone);
  const { status, stderr } = spawnSync('/bin/sh', ['-c', 'rmdir "$PWD"; exec "$0" serve', POSTERN], {
    cwd: gone,
    env,
    encoding: 'utf8',
  });
  assert.equal(status, 78);
  assert.match(stderr, /^postern: cannot read the configuration, as the working folder must be there/m);
  assert.doesNotMatch(stderr, /\n\s+at /);
});

test('a node whose log goes to a full disk serves, and still ends on SIGTERM', async (t) => {
  const full = openSync('/dev/full', 'w');
  const env = nodeEnvironment(temporaryFolder(t));
  const child = spawn(POSTERN, ['serve'], { env, stdio: ['ignore', 'pipe', full] });
  closeSync(full);
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

/** Where a process listens: ports by the inodes of its sockets. */
function listeningPorts(pid: number): readonly number[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => columns[3] === '0A' && inodes.has(columns[9]!))
      .map((columns) => Number.parseInt(columns[1]!.split(':')[1]!, 16)),
  );
}

const onlyLinux = process.platform === 'linux' ? false : 'reads /proc';

test('a local user who has SIGUSR1 sent, or --inspect put into NODE_OPTIONS, finds no debugger', {
  skip: onlyLinux,
}, async (t) => {
  const node = await startNode(t, { env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
  const own = [node.port('mx')];
  assert.deepEqual(listeningPorts(node.process.pid!), own, 'NODE_OPTIONS counts for nothing');
  for (let i = 0; i < 3; i++) node.process.kill('SIGUSR1');
  // Signals of one process are taken in turn: this one comes behind.
  node.process.kill('SIGUSR2');
  await logged(node, /node\.signal-ignored.*SIGUSR2/);
  await node.cli(['status']);
  assert.deepEqual(listeningPorts(node.process.pid!), own);
  assert.doesNotMatch(node.log(), /debugger/i);
  assert.equal(await node.stop(), 0);
});

test('SIGHUP of a log rotation ends nothing and is logged; SIGQUIT stops in order', async (t) => {
  const node = await startNode(t);
  node.process.kill('SIGHUP');
  await logged(node, /node\.signal-ignored.*SIGHUP/);
  const client = await SmtpConversation.open(node.port('mx'));
  assert.equal((await client.reply())!.code, 220);
  assert.equal(await node.stop('SIGQUIT'), 0);
  assert.equal((await client.reply())?.code, 421);
});

test('a demo whose terminal closes ends, and leaves no folder', async (t) => {
  const folder = temporaryFolder(t);
  const child = spawn(POSTERN, ['demo'], {
    env: { ...nodeEnvironment(folder), TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (!said.includes('runs on')) {
      said += text;
      if (said.includes('runs on')) child.kill('SIGHUP');
    }
  });
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('postern-demo-')),
    [],
  );
});
