/** A domain mail server in a network that strangers send from too, with swaks for it and for its neighbour. */
import assert from 'node:assert/strict';
import { type ExecFileException, execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSink } from '../../src/cli/demo/sink.ts';
import { systemClock } from '../../src/world/clock.ts';
import { selfSigned } from '../../src/world/self-signed.ts';
import { missing } from './support/missing.ts';
import { logged, postern, startNode, temporaryFolder } from './support/node.ts';

const SHARED = '127.0.0.7';
const ALICE = 'alice@example.com';
const MARKER = 'X-OriginatorOrg: example.com';

test('a server in a shared network sends as its domain with the tenant’s mark or its certificate; its neighbour does not', {
  skip: missing('swaks'),
}, async (t) => {
  const [inner, world] = await Promise.all([startSink(), startSink()]);
  t.after(() => Promise.all([inner.close(), world.close()]));
  const folder = temporaryFolder(t);
  const pair = await selfSigned('out.example.com', systemClock);
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, pair.certificate);
  writeFileSync(files.key, pair.key);

  const node = await startNode(t, {
    setup: [
      ['domain', 'add', 'example.com', '--server', `${inner.host}:${inner.port}`],
      ['user', 'add', ALICE],
      ['settings', 'set', 'delivery.smartHost', `${world.host}:${world.port}`],
      ['settings', 'set', 'directory.sharedNetworks', `${SHARED}/32`],
    ],
  });
  const add = ['server', 'add', 'out.example.net', '--domain', 'example.com', '--sends-from'];
  const alone = await postern([...add, SHARED], node.env);
  assert.equal(alone.code, 65, alone.stderr);
  assert.match(alone.stderr, /every customer/);
  await node.cli([...add, SHARED, '--tenant-marker', MARKER]);

  const swaks = (...args: readonly string[]): Promise<string> =>
    new Promise((resolve) => {
      const common = ['--server', '127.0.0.1', '--port', String(node.port('mx')), '--local-interface', SHARED];
      const envelope = ['--from', ALICE, '--header', `From: ${ALICE}`];
      const done = (_: ExecFileException | null, stdout: string, stderr: string): void => resolve(stdout + stderr);
      execFile('swaks', [...common, ...envelope, ...args], { timeout: 30_000 }, done);
    });
  const to = (...addresses: readonly string[]): string[] => ['--to', addresses.join(',')];

  assert.match(await swaks(...to('bob@remote.example'), '--add-header', MARKER), /250 2\.0\.0 queued/);
  const sent = await world.next(() => true);
  assert.equal(sent.from, ALICE);
  assert.doesNotMatch(sent.content.toString('latin1'), /X-OriginatorOrg/i);

  const neighbour = await swaks(...to('bob@remote.example'), '--add-header', 'X-OriginatorOrg: evil.example');
  assert.match(neighbour, /^<- {2}250 2\.1\.5/m, 'RCPT is answered before the header is known');
  assert.match(neighbour, /^<\*\* 550 5\.7\.1 .*mark/m);
  await logged(node, /screen\.unmarked/);
  assert.match(await swaks(...to(ALICE)), /^<\*\* 550 5\.7\.1/m);
  const searched = JSON.parse(await node.cli(['log', 'search', '--json', '--limit', '1'])) as { disposition: string }[];
  assert.equal(searched[0]?.disposition, 'refuse');

  // Now its certificate speaks for it as well, and is asked for at once.
  const { fingerprint256 } = new X509Certificate(pair.certificate);
  await node.cli(['server', 'add', 'out.example.net', '--client-certificate', fingerprint256]);
  const tls = ['--tls', '--tls-cert', files.cert, '--tls-key', files.key];
  assert.match(await swaks(...to('carl@remote.example'), ...tls), /250 2\.0\.0 queued/);
  assert.match(await swaks(...to('carl@remote.example'), '--tls'), /550 5\.7\.1 .*mark/);
  await world.next((message) => message.to.includes('carl@remote.example'));
  assert.equal(world.messages.length, 2);
});
