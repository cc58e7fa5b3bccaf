import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { openSecrets } from '../../src/store/secrets.ts';
import { systemRandom } from '../../src/world/random.ts';

function keyPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-secrets-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'secret.key');
}

test('a sealed value opens under its name, also after a restart, and the key file is the owner’s alone', (t) => {
  const path = keyPath(t);
  const sealed = openSecrets(path, systemRandom).seal('dkim/example.com', Buffer.from('private'));
  assert.ok(!sealed.includes('private'));
  assert.equal(Buffer.from(openSecrets(path, systemRandom).open('dkim/example.com', sealed)).toString(), 'private');
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('after a rotation old values still open, and say that another key sealed them', (t) => {
  const path = keyPath(t);
  const secrets = openSecrets(path, systemRandom);
  const old = secrets.seal('a', Buffer.from('one'));
  secrets.rotate();
  assert.equal(Buffer.from(openSecrets(path, systemRandom).open('a', old)).toString(), 'one');
  assert.equal(secrets.isCurrent(old), false);
  assert.equal(secrets.isCurrent(secrets.seal('a', Buffer.from('two'))), true);
});

test('putting one sealed value in the place of another, or changing an octet, is noticed', (t) => {
  const secrets = openSecrets(keyPath(t), systemRandom);
  const sealed = secrets.seal('a', Buffer.from('one'));
  assert.throws(() => secrets.open('b', sealed), { code: 'secrets.damaged' });
  const flipped = sealed.slice(0, -2) + (sealed.at(-2) === 'A' ? 'B' : 'A') + sealed.at(-1);
  assert.throws(() => secrets.open('a', flipped), { code: 'secrets.damaged' });
  assert.throws(() => secrets.open('a', sealed.replace(/^v1\.[0-9a-f]{8}/, 'v1.00000000')), {
    code: 'secrets.unknown-key',
  });
});

test('a key file that others may read is refused', (t) => {
  const path = keyPath(t);
  openSecrets(path, systemRandom);
  chmodSync(path, 0o644);
  assert.throws(() => openSecrets(path, systemRandom), { code: 'secrets.key-file' });
});
