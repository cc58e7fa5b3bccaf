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
